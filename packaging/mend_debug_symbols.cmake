# SPDX-License-Identifier: Apache-2.0
# Run by CPack after it made a Debian package. In that of the debugging symbols CPack (3.25) lists its files by where they
# lay in the build, so that dpkg --verify finds none of them, and no build in another directory gives the same bytes.
foreach(package IN LISTS CPACK_PACKAGE_FILES)
  if(NOT package MATCHES "\\.ddeb$")
    continue()
  endif()
  set(place ${CPACK_TOPLEVEL_DIRECTORY}/mended)
  file(REMOVE_RECURSE ${place})
  execute_process(COMMAND dpkg-deb --raw-extract ${package} ${place} COMMAND_ERROR_IS_FATAL ANY)
  file(READ ${place}/DEBIAN/md5sums sums)
  string(REGEX REPLACE "([0-9a-f]+)  [^\n]*/(usr/lib/debug/[^\n]*)" "\\1  \\2" sums "${sums}")
  file(WRITE ${place}/DEBIAN/md5sums "${sums}")
  execute_process(COMMAND dpkg-deb --root-owner-group -Zxz --build ${place} ${package} OUTPUT_QUIET COMMAND_ERROR_IS_FATAL ANY)
  file(REMOVE_RECURSE ${place})
endforeach()
