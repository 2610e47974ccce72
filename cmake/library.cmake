# libdumptriage.so.1: the layers below doors/library as one shared library that gives away the names of include/dumptriage.h
# and nothing else. The programs do not use it (docs/adr/0006).

# A library is made of a source file at least.
file(WRITE ${CMAKE_BINARY_DIR}/library.c "/* Made by cmake/library.cmake: all is in the layers. */\nextern int dt_library_empty;\n")
add_library(libdumptriage SHARED ${CMAKE_BINARY_DIR}/library.c)
target_link_libraries(libdumptriage PRIVATE "$<LINK_LIBRARY:WHOLE_ARCHIVE,dt_library>")
set_target_properties(libdumptriage PROPERTIES
  OUTPUT_NAME dumptriage
  VERSION 1.0.0
  SOVERSION 1
  LINK_DEPENDS ${CMAKE_SOURCE_DIR}/cmake/dumptriage.map)
target_link_options(libdumptriage PRIVATE -Wl,--version-script=${CMAKE_SOURCE_DIR}/cmake/dumptriage.map -Wl,--as-needed)
if(NOT DT_SANITIZE)
  target_link_options(libdumptriage PRIVATE -Wl,--no-undefined)
endif()
