# SPDX-License-Identifier: Apache-2.0
# bpf_object(name source.bpf.c [DEPENDS files...] [DEFINES macros...] [CPU version]): compiles a BPF program and makes name.skel.h,
# which a target includes as "skeletons/name.skel.h" after linking bpf_<name>. The version of the instruction set
# is v3 (kernel 5.1 and later) unless another is given.
find_program(BPF_CLANG NAMES clang clang-19 clang-18 clang-17 clang-16 clang-15 clang-14 REQUIRED)
find_program(BPFTOOL bpftool HINTS /usr/sbin /sbin REQUIRED)

if(CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|AMD64)$")
  set(BPF_ARCH x86)
elseif(CMAKE_SYSTEM_PROCESSOR MATCHES "^(aarch64|arm64)$")
  set(BPF_ARCH arm64)
else()
  message(FATAL_ERROR "the BPF programs know no system-call convention for ${CMAKE_SYSTEM_PROCESSOR}")
endif()

# BPF_PROG()'s ctx is unused by design.
set(BPF_FLAGS -g -O2 -target bpf -I${PROJECT_SOURCE_DIR}
  -Wall -Wextra -Wshadow -Werror -Wno-unused-parameter -ffile-prefix-map=${PROJECT_SOURCE_DIR}=.)
if(CMAKE_LIBRARY_ARCHITECTURE)
  # Debian keeps <asm/types.h> there, and -target bpf makes clang forget it.
  list(APPEND BPF_FLAGS -isystem /usr/include/${CMAKE_LIBRARY_ARCHITECTURE})
endif()

# All of them, for who only reads the sources: clang-tidy.
if(NOT TARGET bpf_skeletons)
  add_custom_target(bpf_skeletons)
endif()

function(bpf_object name source)
  cmake_parse_arguments(ARG "" "CPU" "DEPENDS;DEFINES" ${ARGN})
  if(NOT ARG_CPU)
    set(ARG_CPU v3)
  endif()
  list(TRANSFORM ARG_DEFINES PREPEND -D)
  set(folder ${CMAKE_CURRENT_BINARY_DIR}/generated/skeletons)
  set(object ${CMAKE_CURRENT_BINARY_DIR}/${name}.bpf.o)
  set(skeleton ${folder}/${name}.skel.h)
  file(MAKE_DIRECTORY ${folder})
  add_custom_command(OUTPUT ${object}
    COMMAND ${BPF_CLANG} ${BPF_FLAGS} -mcpu=${ARG_CPU} -D__TARGET_ARCH_${BPF_ARCH} ${ARG_DEFINES} -c ${CMAKE_CURRENT_SOURCE_DIR}/${source} -o ${object}
    DEPENDS ${source} ${ARG_DEPENDS}
    COMMENT "Compiling ${source} for the kernel" VERBATIM)
  add_custom_command(OUTPUT ${skeleton}
    # The generated code is not ours to mend.
    COMMAND ${CMAKE_COMMAND} -E echo "// NOLINTBEGIN" > ${skeleton}.new
    COMMAND ${BPFTOOL} gen skeleton ${object} name ${name}_bpf >> ${skeleton}.new
    COMMAND ${CMAKE_COMMAND} -E echo "// NOLINTEND" >> ${skeleton}.new
    COMMAND ${CMAKE_COMMAND} -E rename ${skeleton}.new ${skeleton}
    DEPENDS ${object}
    COMMENT "Making ${name}.skel.h")
  add_custom_target(bpf_${name}_skeleton DEPENDS ${skeleton})
  add_dependencies(bpf_skeletons bpf_${name}_skeleton)
  add_library(bpf_${name} INTERFACE)
  add_dependencies(bpf_${name} bpf_${name}_skeleton)
  target_include_directories(bpf_${name} SYSTEM INTERFACE ${CMAKE_CURRENT_BINARY_DIR}/generated)
endfunction()
