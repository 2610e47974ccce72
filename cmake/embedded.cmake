# Files that become part of the program, so that it works without them. Included after dt_layers().

# dt_embed(LAYER SYMBOL FILES...): into a layer, as the array SYMBOL (embed.cmake). DT_EMBED_UNTIL: bytes in hex at which files end.
function(dt_embed layer symbol)
  set(source ${CMAKE_BINARY_DIR}/${symbol}.c)
  string(REPLACE ";" "\\;" files "${ARGN}")
  add_custom_command(
    OUTPUT ${source}
    COMMAND ${CMAKE_COMMAND} -DOUT=${source} -DSYMBOL=${symbol} "-DFILES=${files}" "-DUNTIL=${DT_EMBED_UNTIL}" -P ${CMAKE_SOURCE_DIR}/cmake/embed.cmake
    DEPENDS ${ARGN} ${CMAKE_SOURCE_DIR}/cmake/embed.cmake
    COMMENT "Embedding ${symbol}"
    VERBATIM)
  target_sources(dt_${layer} PRIVATE ${source})
endfunction()

# The signatures of signatures/.
file(GLOB signature_files CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/signatures/*.yml)
dt_embed(signature dt_builtin_signatures_tested ${signature_files})
# Most commands need no tests, and would read them at every start: up to "\ntests:\n".
set(DT_EMBED_UNTIL 0a74657374733a0a)
dt_embed(signature dt_builtin_signatures ${signature_files})
unset(DT_EMBED_UNTIL)
# Who on a stack runs others' work.
dt_embed(tables dt_builtin_carriers ${CMAKE_SOURCE_DIR}/signatures/carriers.conf)
# Drivers with known vulnerabilities, which are reported as findings of a host.
dt_embed(signature dt_builtin_vulnerable ${CMAKE_SOURCE_DIR}/signatures/vulnerable-drivers.tsv)
# The style sheet and script of the pages, and the description of the API.
file(GLOB web_files CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/analyzer/doors/serve/web/assets/*)
dt_embed(web dt_web_assets ${web_files} ${CMAKE_SOURCE_DIR}/docs/openapi.json)
