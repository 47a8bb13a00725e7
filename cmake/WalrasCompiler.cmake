# SPDX-License-Identifier: GPL-3.0-or-later
# walras_options: the flags every file of the project is compiled with.

set(wal_x86_64 FALSE)
if(CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|amd64|AMD64)$")
  set(wal_x86_64 TRUE)
endif()

set(wal_multiversion_default OFF)
if(wal_x86_64 AND CMAKE_C_COMPILER_ID STREQUAL "GNU")
  set(wal_multiversion_default ON)
endif()
option(WALRAS_MULTIVERSION "Compile hot loops for AVX2 as well, chosen at run time (gcc, x86-64)"
       ${wal_multiversion_default})

add_library(walras_options INTERFACE)
target_include_directories(walras_options INTERFACE "${PROJECT_SOURCE_DIR}")
target_compile_definitions(walras_options INTERFACE
  "WAL_VERSION=\"${PROJECT_VERSION}\"" _POSIX_C_SOURCE=200809L)  # -std=c11 alone hides POSIX
target_compile_options(walras_options INTERFACE
  # No number changes; gcc makes no vector code of choices while comparisons may trap.
  -ffp-contract=off -fopenmp-simd -fno-math-errno -fno-trapping-math
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wstrict-prototypes
  -Wmissing-prototypes -Wvla -Wundef)
if(CMAKE_C_COMPILER_ID MATCHES "Clang")
  # clang warns of every `omp simd` loop that it does not vectorize, which depends on -O only.
  target_compile_options(walras_options INTERFACE -Wno-pass-failed)
endif()
if(WALRAS_WERROR)
  target_compile_options(walras_options INTERFACE -Werror)
endif()

if(WALRAS_SANITIZE OR WALRAS_FUZZ)
  set(wal_sanitizers -fsanitize=address,undefined -fno-sanitize-recover=all
                     -fno-omit-frame-pointer)
  if(WALRAS_FUZZ)
    list(APPEND wal_sanitizers -fsanitize=fuzzer-no-link)
    # An endless loop in a scenario ends after milliseconds, not seconds.
    target_compile_definitions(walras_options INTERFACE "WAL_LUA_STEPS=((uint64_t)300000)")
  endif()
  target_compile_options(walras_options INTERFACE -O1 -g ${wal_sanitizers})
  target_link_options(walras_options INTERFACE ${wal_sanitizers})
elseif(WALRAS_MULTIVERSION)
  target_compile_definitions(walras_options INTERFACE WAL_MULTIVERSION)
endif()
