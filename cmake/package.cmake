# Debian packages by cpack: `cmake --preset package && cmake --build build/package --target deb`, then they lie in build/package/deb.
# Reproducible: times are SOURCE_DATE_EPOCH, else that of the last commit.
if(NOT DT_SCDOC OR NOT DT_GZIP)
  message(FATAL_ERROR "packages have man pages: scdoc and gzip are needed")
endif()
find_package(Python3 REQUIRED COMPONENTS Interpreter)

set(epoch "$ENV{SOURCE_DATE_EPOCH}")
if(NOT epoch)
  execute_process(COMMAND git -C ${CMAKE_SOURCE_DIR} log -1 --format=%ct OUTPUT_VARIABLE epoch OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
endif()
if(NOT epoch)
  set(epoch 0)
endif()
set(packaging ${CMAKE_BINARY_DIR}/packaging)

# What Debian wants beside the files: a copyright file and a changelog in each package.
set(ENV{SOURCE_DATE_EPOCH} ${epoch})
string(TIMESTAMP changed "%a, %d %b %Y %H:%M:%S +0000" UTC)
set(DT_DEB_RELEASE 1)
set(DT_MAINTAINER "dumptriage maintainers <maintainers@dumptriage.example>")
file(WRITE ${packaging}/changelog "dumptriage (${PROJECT_VERSION}-${DT_DEB_RELEASE}) bookworm; urgency=medium

  * Version ${PROJECT_VERSION}; CHANGELOG.md of the sources says what is new.

 -- ${DT_MAINTAINER}  ${changed}
")
execute_process(COMMAND ${DT_GZIP} -9nc ${packaging}/changelog OUTPUT_FILE ${packaging}/changelog.Debian.gz COMMAND_ERROR_IS_FATAL ANY)
foreach(row "program dumptriage" "library libdumptriage1" "development libdumptriage-dev")
  separate_arguments(row)
  list(GET row 0 part)
  list(GET row 1 package)
  install(FILES ${CMAKE_SOURCE_DIR}/packaging/copyright ${packaging}/changelog.Debian.gz DESTINATION share/doc/${package} COMPONENT ${part})
endforeach()

# Which version of the package has each name, for packages that use the library (dpkg-shlibdeps): the names of the version script. A name
# of a later node gets the version that brought it here.
file(STRINGS ${CMAKE_SOURCE_DIR}/cmake/dumptriage.map lines)
set(symbols "libdumptriage.so.1 libdumptriage1 #MINVER#\n")
set(node "")
foreach(line IN LISTS lines)
  if(line MATCHES "^(DUMPTRIAGE_[0-9.]+)")
    set(node ${CMAKE_MATCH_1})
    string(APPEND symbols " ${node}@${node} 0.1.0\n")
  elseif(line MATCHES "(dt_[a-z_]+)")
    string(APPEND symbols " ${CMAKE_MATCH_1}@${node} 0.1.0\n")
  endif()
endforeach()
file(WRITE ${packaging}/symbols "${symbols}")

# What is linked, and what is loaded when it is needed, as SPDX.
set(programs dumptriage dumptriage-feed dumptriage-scan dumptriage-serve dumptriage-store dumptriage-work dumptriage-worker)
list(TRANSFORM programs REPLACE "(.+)" "$<TARGET_FILE:\\1>" OUTPUT_VARIABLE program_files)
add_custom_command(OUTPUT ${packaging}/dumptriage.spdx.json VERBATIM COMMENT "SBOM"
  DEPENDS ${programs} libdumptriage ${CMAKE_SOURCE_DIR}/packaging/sbom.py
  COMMAND ${Python3_EXECUTABLE} ${CMAKE_SOURCE_DIR}/packaging/sbom.py --version ${PROJECT_VERSION} --epoch ${epoch}
          --cache ${CMAKE_BINARY_DIR}/CMakeCache.txt --out ${packaging}/dumptriage.spdx.json ${program_files} $<TARGET_FILE:libdumptriage>)
add_custom_target(sbom ALL DEPENDS ${packaging}/dumptriage.spdx.json)
install(FILES ${packaging}/dumptriage.spdx.json DESTINATION ${DT_PROGRAM_DOC} COMPONENT program)

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME dumptriage)
set(CPACK_PACKAGE_VENDOR dumptriage)
set(CPACK_PACKAGE_VERSION ${PROJECT_VERSION})
set(CPACK_PACKAGE_DIRECTORY ${CMAKE_BINARY_DIR}/deb)
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_SET_DESTDIR ON) # the units lie outside /usr
set(CPACK_STRIP_FILES ON)
set(CPACK_THREADS 0)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
set(CPACK_COMPONENTS_ALL program library development)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_RELEASE ${DT_DEB_RELEASE})
set(CPACK_DEBIAN_PACKAGE_MAINTAINER "${DT_MAINTAINER}")
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_GENERATE_SHLIBS ON)
set(CPACK_DEBIAN_PACKAGE_GENERATE_SHLIBS_POLICY ">=")
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_DEBIAN_COMPRESSION_TYPE xz)

set(CPACK_DEBIAN_PROGRAM_PACKAGE_NAME dumptriage)
set(CPACK_DEBIAN_PROGRAM_PACKAGE_SECTION admin)
set(CPACK_COMPONENT_PROGRAM_DESCRIPTION "Windows crash dumps to verdicts with their evidence
 dumptriage reads Windows crash dumps (kernel minidumps, memory dumps, user
 minidumps, captures of hypervisors) without Windows, symbols or network. It
 says what crashed, how sure that is, which known incident it is and what to
 do next. It scans trees of dumps into a store, serves a page and an API for
 uploads, and feeds a SIEM.")
set(CPACK_DEBIAN_PROGRAM_PACKAGE_DEPENDS "libkdumpfile10")
set(CPACK_DEBIAN_PROGRAM_PACKAGE_RECOMMENDS "liblzo2-2, libsnappy1v5, zlib1g")
set(CPACK_DEBIAN_PROGRAM_PACKAGE_SUGGESTS "nginx, postgresql, rabbitmq-server")
set(CPACK_DEBIAN_PROGRAM_PACKAGE_CONTROL_EXTRA ${CMAKE_SOURCE_DIR}/packaging/postinst ${CMAKE_SOURCE_DIR}/packaging/prerm ${CMAKE_SOURCE_DIR}/packaging/postrm)

set(CPACK_DEBIAN_LIBRARY_PACKAGE_NAME libdumptriage1)
set(CPACK_DEBIAN_LIBRARY_PACKAGE_SECTION libs)
set(CPACK_COMPONENT_LIBRARY_DESCRIPTION "Windows crash dumps to verdicts: shared library
 dumptriage reads Windows crash dumps without Windows, and says what crashed
 and why. This is the library for programs that analyse dumps in their own
 process.")
set(CPACK_DEBIAN_LIBRARY_PACKAGE_DEPENDS "libkdumpfile10")
set(CPACK_DEBIAN_LIBRARY_PACKAGE_CONTROL_EXTRA ${CMAKE_SOURCE_DIR}/packaging/triggers ${packaging}/symbols)
set(CPACK_DEBIAN_LIBRARY_PACKAGE_RECOMMENDS "libarchive13, liblzo2-2, libsnappy1v5, libzstd1, zlib1g")

set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_NAME libdumptriage-dev)
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_SECTION libdevel)
set(CPACK_COMPONENT_DEVELOPMENT_DESCRIPTION "Windows crash dumps to verdicts: header and examples
 dumptriage reads Windows crash dumps without Windows, and says what crashed
 and why. This is what programs that use its library are built with.")
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_DEPENDS "libdumptriage1 (= ${PROJECT_VERSION}-${DT_DEB_RELEASE})")
include(CPack)

add_custom_target(deb VERBATIM
  COMMAND ${CMAKE_COMMAND} -E env SOURCE_DATE_EPOCH=${epoch} ${CMAKE_COMMAND} --build ${CMAKE_BINARY_DIR}
  COMMAND ${CMAKE_COMMAND} -E env SOURCE_DATE_EPOCH=${epoch} cpack --config ${CMAKE_BINARY_DIR}/CPackConfig.cmake -B ${CMAKE_BINARY_DIR}/deb)
