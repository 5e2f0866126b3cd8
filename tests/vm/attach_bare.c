// SPDX-License-Identifier: Apache-2.0
// usage: attach_bare PROGRAM: attaches that one of bare.bpf.c, says so, and stays until it is ended. Nobody
// takes what it submits: its ring has room for a hundred thousand renames.
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "skeletons/bare.skel.h"

int main(int count, char** arguments) {
  if (count != 2) return 64;
  struct bare_bpf* bare = bare_bpf__open();
  if (bare == NULL) return 1;
  bare->rodata->rename_numbers[0] = SYS_rename;
  bare->rodata->rename_numbers[1] = SYS_renameat;
  bare->rodata->rename_numbers[2] = SYS_renameat2;
  struct bpf_program* program = NULL;
  bpf_object__for_each_program(program, bare->obj) {
    bpf_program__set_autoload(program, strcmp(bpf_program__name(program), arguments[1]) == 0);
  }
  if (bare_bpf__load(bare) != 0 || bare_bpf__attach(bare) != 0) return 1;
  puts("attached");
  fflush(stdout);
  pause();
  return 0;
}
