# The signatures of signatures/ become part of dt_signature, so that the program
# works without its files. Included after dt_layers().

file(GLOB signature_files CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/signatures/*.yml)
set(signature_source ${CMAKE_BINARY_DIR}/builtin_signatures.c)
string(REPLACE ";" "\\;" signature_list "${signature_files}")
add_custom_command(
  OUTPUT ${signature_source}
  COMMAND ${CMAKE_COMMAND} -DOUT=${signature_source} -DSYMBOL=dt_builtin_signatures "-DFILES=${signature_list}"
          -P ${CMAKE_SOURCE_DIR}/cmake/embed.cmake
  DEPENDS ${signature_files} ${CMAKE_SOURCE_DIR}/cmake/embed.cmake
  COMMENT "Embedding signatures"
  VERBATIM)
target_sources(dt_signature PRIVATE ${signature_source})
