# libdumptriage.so.1: the layers below doors/library as one shared library that gives away the names of include/dumptriage.h
# and nothing else. The programs do not use it (docs/adr/0006).
include(GNUInstallDirs)

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

# The prefix is found from where the file lies, so that a tree may be moved.
file(RELATIVE_PATH DT_PREFIX_FROM_PC /prefix/${CMAKE_INSTALL_LIBDIR}/pkgconfig /prefix)
string(REGEX REPLACE "/$" "" DT_PREFIX_FROM_PC "${DT_PREFIX_FROM_PC}")
configure_file(${CMAKE_SOURCE_DIR}/cmake/dumptriage.pc.in ${CMAKE_BINARY_DIR}/dumptriage.pc @ONLY)
install(TARGETS libdumptriage
        LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT library NAMELINK_COMPONENT development)
install(FILES ${CMAKE_SOURCE_DIR}/analyzer/include/dumptriage.h DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} COMPONENT development)
install(FILES ${CMAKE_BINARY_DIR}/dumptriage.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig COMPONENT development)
install(DIRECTORY ${CMAKE_SOURCE_DIR}/examples DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/libdumptriage-dev COMPONENT development)
