# Writes a C file that holds files as arrays, with nothing but CMake.
#
#   cmake -DOUT=generated.c -DSYMBOL=name -DFILES=a.yml;b.yml -P embed.cmake
#
# defines `const struct dt_embedded name[]` and `const size_t name_count`
# (core/base/embedded.h), in the order of the file names. With -DUNTIL=hex a file ends where
# these bytes begin (the line before stays).

cmake_minimum_required(VERSION 3.25)
list(SORT FILES)
set(arrays "")
set(rows "")
set(index 0)
foreach(file IN LISTS FILES)
  get_filename_component(name "${file}" NAME)
  file(READ "${file}" hex HEX)
  if(UNTIL)
    string(FIND "${hex}" "${UNTIL}" at)
    math(EXPR odd "${at} % 2")
    if(at GREATER 0 AND odd EQUAL 0)
      string(SUBSTRING "${hex}" 0 ${at} hex)
      string(APPEND hex "0a")
    endif()
  endif()
  string(REGEX REPLACE "(..)" "0x\\1," bytes "${hex}")
  string(REGEX REPLACE "(................................................................................)" "\\1\n" bytes "${bytes}")
  string(APPEND arrays "static const unsigned char file_${index}[] = {\n${bytes}\n0x00};\n")
  string(APPEND rows "\t{ \"${name}\", (const char *)file_${index}, sizeof(file_${index}) - 1 },\n")
  math(EXPR index "${index} + 1")
endforeach()

file(CONFIGURE OUTPUT "${OUT}" @ONLY CONTENT "/* Made by cmake/embed.cmake; do not edit. */
#include \"core/base/embedded.h\"

extern const struct dt_embedded @SYMBOL@[];
extern const size_t @SYMBOL@_count;

@arrays@
const struct dt_embedded @SYMBOL@[] = {
@rows@\t{ NULL, NULL, 0 },
};
const size_t @SYMBOL@_count = @index@;
")
