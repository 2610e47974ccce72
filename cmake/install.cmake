# `cmake --install`, in three parts (components), which are the packages, too (package.cmake):
#   program      the one program that people call in bin, those it runs in libexec, man pages, completion, units, documents
#   library      libdumptriage.so.1
#   development  what a program is built with: header, link, pkg-config file, examples
include(GNUInstallDirs)
set(DT_PROGRAM_DOC ${CMAKE_INSTALL_DOCDIR})
set(DT_DEVELOPMENT_DOC ${CMAKE_INSTALL_DATADIR}/doc/libdumptriage-dev)

install(TARGETS dumptriage RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR} COMPONENT program)
install(TARGETS dumptriage-feed dumptriage-scan dumptriage-serve dumptriage-store dumptriage-work dumptriage-worker
        RUNTIME DESTINATION ${CMAKE_INSTALL_LIBEXECDIR}/dumptriage COMPONENT program)
install(DIRECTORY docs/ DESTINATION ${DT_PROGRAM_DOC} COMPONENT program
        PATTERN man EXCLUDE PATTERN completion EXCLUDE PATTERN adr EXCLUDE PATTERN images EXCLUDE)
# The signatures as files, with their schema: to read, to copy, for editors.
install(DIRECTORY signatures DESTINATION ${DT_PROGRAM_DOC} COMPONENT program)
install(FILES docs/completion/dumptriage.bash DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions RENAME dumptriage COMPONENT program)

# Services: the units name /usr/bin, so they are for packages and /usr alone.
if(CMAKE_INSTALL_PREFIX STREQUAL "/usr")
  foreach(unit serve feed work)
    install(FILES docs/systemd/dumptriage-${unit}.service DESTINATION /lib/systemd/system COMPONENT program)
  endforeach()
  install(FILES docs/systemd/dumptriage.sysusers DESTINATION lib/sysusers.d RENAME dumptriage.conf COMPONENT program)
  install(FILES docs/systemd/dumptriage.tmpfiles DESTINATION lib/tmpfiles.d RENAME dumptriage.conf COMPONENT program)
endif()

install(TARGETS libdumptriage
        LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT library NAMELINK_COMPONENT development)
install(FILES analyzer/include/dumptriage.h DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} COMPONENT development)
install(DIRECTORY examples DESTINATION ${DT_DEVELOPMENT_DOC} COMPONENT development)
# The prefix is found from where the file lies, so that a tree may be moved.
file(RELATIVE_PATH DT_PREFIX_FROM_PC /prefix/${CMAKE_INSTALL_LIBDIR}/pkgconfig /prefix)
string(REGEX REPLACE "/$" "" DT_PREFIX_FROM_PC "${DT_PREFIX_FROM_PC}")
configure_file(${CMAKE_SOURCE_DIR}/cmake/dumptriage.pc.in ${CMAKE_BINARY_DIR}/dumptriage.pc @ONLY)
install(FILES ${CMAKE_BINARY_DIR}/dumptriage.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig COMPONENT development)

# Man pages, where scdoc is at hand; packed without a time, as Debian has them.
find_program(DT_SCDOC scdoc)
find_program(DT_GZIP gzip)
file(GLOB man_sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/docs/man/*.scd)
set(man_pages "")
if(DT_SCDOC AND DT_GZIP)
  foreach(source ${man_sources})
    get_filename_component(page ${source} NAME_WLE)
    string(REGEX REPLACE "^.*\\." "" section ${page})
    set(out ${CMAKE_BINARY_DIR}/man/${page}.gz)
    add_custom_command(OUTPUT ${out} DEPENDS ${source} VERBATIM COMMENT "Man page ${page}"
      COMMAND ${CMAKE_COMMAND} -E make_directory ${CMAKE_BINARY_DIR}/man
      COMMAND sh -c "SOURCE_DATE_EPOCH=\"\${SOURCE_DATE_EPOCH:-0}\" \"$1\" <\"$3\" >\"$4\" && \"$2\" -9nf \"$4\"" sh ${DT_SCDOC} ${DT_GZIP} ${source} ${CMAKE_BINARY_DIR}/man/${page})
    list(APPEND man_pages ${out})
    install(FILES ${out} DESTINATION ${CMAKE_INSTALL_MANDIR}/man${section} COMPONENT program)
  endforeach()
  add_custom_target(man ALL DEPENDS ${man_pages})
endif()

if(DT_PACKAGE)
  include(cmake/package.cmake)
endif()
