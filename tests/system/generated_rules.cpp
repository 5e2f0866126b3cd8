// SPDX-License-Identifier: Apache-2.0
#include "tests/system/generated_rules.h"

#include <libaudit.h>

namespace auditshift::testing {
namespace {

using Lines = std::vector<std::string>;

const Lines kLists{"task", "exit", "user", "exclude", "filesystem"};
const Lines kOperators{"=", "!=", "<", ">", "<=", ">=", "&", "&="};

Lines values_of(const std::string& field) {
  if (field.ends_with("uid"))
    return {"0",   "1000", "-1",    "-2",          "unset",       "root", "4294967295",
            "010", "0x10", "10abc", "nobody-such", "99999999999", "-"};
  if (field.ends_with("gid")) return {"0", "1000", "-1", "unset", "root", "4294967295", "010", "nobody-such"};
  if (field == "arch")
    return {"b64",      "b32",        "B64",   "x86_64",   "i386",       "i686",
            "aarch64",  "ppc64le",    "s390x", "c000003e", "0xc000003e", "3221225534",
            "40000003", "0x40000003", "b16",   "arm",      "0",          "ia64"};
  if (field == "exit")
    return {"0",         "1",   "-1",   "EPERM", "-EPERM", "-EACCES", "EWOULDBLOCK",
            "ENONSENSE", "-13", "0x7f", "-4095", "133",    "-EXDEV",  "-eperm"};
  if (field == "msgtype")
    return {"SYSCALL", "syscall", "1300",       "AVC", "UNKNOWN[1399]", "NOTHING", "0",
            "99999",   "CWD",     "USER_LOGIN", "-1"};
  if (field == "path")
    return {"/etc/passwd", "/etc/",    "/",        "relative",  "/etc/a\\ b", "/etc//x",
            "/etc/../x",   "/etc/a=b", "/etc/a&b", "/etc/a>=b", "/etc/*"};
  if (field == "dir") return {"/etc", "/etc/", "/", "relative", "/etc/passwd", "/etc//"};
  if (field == "exe") return {"/sbin/auditctl", "/sbin/none", "/sbin/", "relative", "/"};
  if (field == "perm") return {"r", "w", "x", "a", "rwxa", "axwr", "RW", "rr", "rwxaa", "q", "r,w"};
  if (field == "filetype")
    return {"file", "dir", "socket", "link", "character", "block", "fifo", "symlink", "FILE", "1"};
  if (field == "fstype")
    return {"tracefs", "debugfs", "0x74726163", "1684170528", "ext4", "-1", "4294967295"};
  if (field == "key")
    return {"k",
            "a=b",
            "a!=b",
            "a>=b",
            "a<b",
            "a\\ b",
            "\"quoted\"",
            std::string(256, 'k'),
            std::string(257, 'k')};
  if (field == "sessionid") return {"0", "5", "-1", "unset", "4294967295", "junk", "-2"};
  if (field == "saddr_fam") return {"0", "2", "45", "46", "inet", "-1", "0x2"};
  if (field == "success") return {"0", "1", "2", "yes"};
  if (field == "field_compare") return {"0", "1", "10", "25", "26"};
  if (field.starts_with("subj_") || field.starts_with("obj_"))
    return {"unconfined_u", "s0", "a:b", "s0-s0:c0.c1023"};
  if (field.size() == 2 && field[0] == 'a')
    return {"0", "2", "-1", "0xffff", "0xFFFFFFFFFFFFFFFF", "010", "name", "-x"};
  return {"0", "1", "300", "-1", "0x1f", "017", "12junk", "word", "4294967295", "4294967296"};
}

/// What a field needs before it so that a key may follow, and so that the rule makes sense on its list.
void add_fields(Lines& lines) {
  Lines fields;
  for (int id = 0; id < 256; ++id) {
    if (const char* name = audit_field_to_name(id)) fields.emplace_back(name);
  }
  fields.emplace_back("loginuid");
  for (const std::string& field : fields) {
    for (const std::string& op : kOperators) {
      const Lines values = values_of(field);
      for (std::size_t i = 0; i < values.size(); ++i) {
        const std::string text = field + op + values[i];
        for (const std::string& list : kLists) {
          // All values on the exit list with each operator; elsewhere the first two, and all with `=`.
          if (list != "exit" && op != "=" && i > 1) continue;
          const bool exit = list == "exit";
          lines.push_back("-a always," + list + (exit && field != "arch" ? " -S 59" : "") + " -F " + text);
        }
      }
    }
  }
}

void add_lists(Lines& lines) {
  for (const std::string& option : Lines{"-a", "-A"}) {
    for (const std::string& list : Lines{"task", "exit", "user", "exclude", "filesystem", "io_uring", "entry",
                                         "watch", "Exit", "EXIT", "none", ""}) {
      for (const std::string& action : Lines{"always", "never", "possible", "Always", "none", ""}) {
        lines.push_back(option + " " + list + "," + action);
        lines.push_back(option + " " + action + "," + list);
      }
    }
  }
  for (const std::string& word : Lines{"exit", "always", "exit,always,x", "exit,exit", "always,always",
                                       "exit;always", "always,exit ,", "exit, always"}) {
    lines.push_back("-a " + word);
  }
}

void add_syscalls(Lines& lines) {
  for (const std::string& arch : Lines{"", "-F arch=b64 ", "-F arch=b32 ", "-F arch!=b32 ",
                                       "-F arch=aarch64 ", "-F arch=ppc64le ", "-F arch=s390x "}) {
    for (const std::string& names : Lines{"open",
                                          "execve",
                                          "execve,execveat",
                                          "openat,open",
                                          "all",
                                          "ALL",
                                          "59",
                                          "0x3b",
                                          "073",
                                          "59foo",
                                          "2015",
                                          "2031",
                                          "2047",
                                          "2041",
                                          "2048",
                                          "4294967295",
                                          "-1",
                                          "nonsense",
                                          "open,nonsense",
                                          "open,,close",
                                          ",",
                                          ",open",
                                          "open,",
                                          "OPEN",
                                          "Open",
                                          "all,open",
                                          "stime",
                                          "umount",
                                          "umount2",
                                          "pwrite64",
                                          "pwrite",
                                          "pread",
                                          "socketcall",
                                          "ipc",
                                          "lchown32",
                                          "fchmodat2",
                                          "cachestat",
                                          "clone3",
                                          "openat2",
                                          "init_module,finit_module,delete_module",
                                          "adjtimex,settimeofday,stime",
                                          "accept",
                                          "semop",
                                          "newfstatat",
                                          "mknod,mknodat",
                                          "open\\ close"}) {
      const std::string line = "-a always,exit " + arch + "-S " + names;
      lines.push_back(line);
      lines.push_back(line + " -k key");
    }
  }
  for (const std::string& list : kLists) lines.push_back("-a always," + list + " -S open");
  lines.insert(
      lines.end(),
      {"-S open -a always,exit", "-S open -a always,task", "-S open -a always,user",
       "-S open -a always,exclude", "-S open", "-S open -S close -a exit,always -k x",
       "-a always,exit -S open -S close -S 3", "-a always,exit -Sopen", "-a always,exit -S open -F arch=b64",
       "-a always,exit -F arch=b64 -F arch=b32 -S open", "-a always,exit -F arch=b64 -S all -S open",
       "-a always,exit -F arch=b64", "-a always,exit -F arch=b64 -k x"});
}

void add_comparisons(Lines& lines) {
  const Lines names{"auid", "uid",  "euid",  "suid",    "fsuid", "obj_uid",  "gid",
                    "egid", "sgid", "fsgid", "obj_gid", "pid",   "loginuid", "none"};
  for (const std::string& first : names) {
    for (const std::string& second : names) {
      for (const std::string& op : Lines{"=", "!="})
        lines.push_back("-a always,exit -S 59 -C " + first + op + second);
    }
  }
  for (const std::string& text : Lines{"uid>euid", "uid", "=euid", "uid=", "uid==euid", "UID=EUID"}) {
    lines.push_back("-a always,exit -S 59 -C " + std::string(text));
  }
  for (const std::string& list : kLists) lines.push_back("-a always," + list + " -C uid!=euid");
  lines.push_back("-C uid!=euid -a always,exit");
  lines.push_back("-a always,exit -C uid!=euid -C gid!=egid -k x");
  lines.push_back("-a always,exit -C uid!=euid -k x");
}

void add_watches(Lines& lines) {
  const Lines paths{"/etc/passwd",
                    "/etc",
                    "/etc/",
                    "/etc///",
                    "/",
                    "//",
                    "/etc/none",
                    "relative",
                    "~/x",
                    "$HOME",
                    "/etc/../etc/x",
                    "/etc/*.conf",
                    "/etc/a\\ b",
                    "/etc/a\\\\b",
                    "/etc/a\\b",
                    "\"/etc/x\"",
                    "'/etc/x'",
                    "/" + std::string(255, 'n'),
                    "/" + std::string(256, 'n'),
                    "/x\x07y",
                    "/x\x04y"};
  const Lines rests{"",
                    " -p wa",
                    " -p rwxa",
                    " -p WA",
                    " -p x -k key",
                    " -k key",
                    " -k key -p r",
                    " -k a -k b",
                    " -p q",
                    " -p rwxar",
                    " -p",
                    " -k",
                    " -F auid>=1000",
                    " -F key=x",
                    " -S open",
                    " -F perm=w",
                    " -p wa -p r",
                    " -F arch=b64",
                    " -F path=/etc/shadow",
                    " -F success=0 -k x"};
  for (const std::string& path : paths) {
    for (const std::string& rest : rests) lines.push_back("-w " + path + rest);
  }
  lines.insert(lines.end(), {"-w/etc/passwd -pwa -kid",
                             "-w=/etc/passwd",
                             "-p wa -w /etc/passwd",
                             "-k id -w /etc/passwd",
                             "-w",
                             "-w /etc/passwd -w /etc/shadow",
                             "-w /etc/passwd -W /etc/shadow",
                             "-w /etc/passwd -a always,exit",
                             "-w /etc/passwd -a exit,always",
                             "-w /etc/passwd -a exit,never -k x",
                             "-a always,exit -w /etc/passwd",
                             "-a always,exit -W /etc/passwd -k x",
                             "-a never,exit -W /etc/passwd",
                             "-a always,user -W /etc/passwd",
                             "-w /etc/passwd -p wa -k id\t# comment",
                             "-w /etc/passwd\t-p wa",
                             "-w /etc/passwd -p wa -k id # comment",
                             "-w /etc/passwd -p wa \\",
                             "  -w /etc/passwd -p wa",
                             "-w  /etc/passwd   -p  wa  ",
                             "\t-w /etc/passwd"});
}

void add_fields_in_order(Lines& lines) {
  lines.insert(lines.end(), {"-a always,exit -F path=/etc/passwd -F perm=wa -k id",
                             "-a always,exit -F perm=wa -F path=/etc/passwd -k id",
                             "-a always,exit -F perm=wa -k id",
                             "-a never,exit -F path=/etc/passwd -F perm=x",
                             "-a never,exit -F dir=/etc/ -F perm=r",
                             "-a always,exit -F dir=/etc/ -F perm=wa -F key=a -F key=b",
                             "-a always,exit -S all -F dir=/etc -F perm=wa -k x",
                             "-a always,exit -F arch=b64 -F path=/etc/passwd -F perm=wa -k id",
                             "-a always,exit -F path=/etc/passwd -k id",
                             "-a always,exit -F path=/etc/passwd -p wa -k id",
                             "-a always,exit -p wa",
                             "-a always,exit -F uid=0 -p wa",
                             "-a always,exit -F path=/a -F path=/b",
                             "-a always,exit -F path=/a -F dir=/etc",
                             "-a always,exit -F dir=/etc -F inode=5",
                             "-a always,exit -F inode=5 -F inode=6",
                             "-a always,exit -F inode!=5 -F inode!=6",
                             "-a always,exit -F inode=5 -F path=/a",
                             "-a always,exit -F exe=/sbin/a -F exe=/sbin/b",
                             "-a always,exit -F exe=/sbin/a -k x",
                             "-a always,exit -F exe!=/sbin/a -k x",
                             "-a always,exit -F uid=0 -k x",
                             "-a always,exit -k x",
                             "-k x -a always,exit",
                             "-a always,exit -F key=x -S open",
                             "-a always,exit -F key=x",
                             "-a always,exit -F KEY=x -S open",
                             "-a always,exit -S open -F KEY=x",
                             "-a always,exit -S open -F KEY=x -k y",
                             "-a always,exit -S open -F key!=x",
                             "-a always,exit -S open -F key!=x -k y",
                             "-a always,exit -S open -F key=",
                             "-a always,exit -S open -k a -F key=b -k c",
                             "-a always,exit -S open -k -k",
                             "-a always,exit -S open -k -F auid>=1000",
                             "-a always,exit -S open -ka\xc2\xa0"
                             "b",
                             "-a always,exit -S open -k a\x01"
                             "b",
                             "-a always,exit -S open -k \x01",
                             "-a always,exclude -F msgtype=CWD -k x",
                             "-a always,exclude -F key=x",
                             "-a always,exclude -F msgtype=CWD -F uid=0 -F exe=/sbin/a",
                             "-a always,user -F uid=0 -k x",
                             "-a always,user -F msgtype=1100",
                             "-a always,task -F uid=0 -k x",
                             "-a never,task",
                             "-a always,task -F exe=/sbin/a -k x",
                             "-a never,user",
                             "-a never,exclude",
                             "-a never,filesystem -F fstype=tracefs -F key=x",
                             "-a never,filesystem -F fstype=tracefs -k x",
                             "-a never,filesystem -F fstype=tracefs -F fstype=debugfs",
                             "-a never,filesystem",
                             "-a never,filesystem -F uid=0",
                             "-F uid=0 -a always,exit",
                             "-F arch=b64",
                             "-F arch=b64 -t",
                             "-F arch=b64 -a always,exit",
                             "-F uid=0 -t",
                             "-a always,exit -F uid",
                             "-a always,exit -F =0",
                             "-a always,exit -F uid=",
                             "-a always,exit -F nofield=1",
                             "-a always,exit -F comm=x",
                             "-a always,exit -F obj=x",
                             "-a always,exit -F a4=1",
                             "-a always,exit -F 'auid>=1000'",
                             "-a always,exit -Farch=b64 -Sopen -kx",
                             "-a always,exit -F UID=0",
                             "-a always,exit -F uid==0",
                             "-a always,exit -S open -F a0&03 -F a1&=3 -k x",
                             "-a always,exit -F auid>=1000 -F auid!=4294967295 -S open",
                             "-a always,exit -F auid>-1 -S open",
                             "-a always,exit -F auid!=unset -S open"});
  std::string many = "-a always,exit -S open";
  for (int i = 0; i < 62; ++i) many += " -F uid=" + std::to_string(i);
  lines.push_back(many);
  lines.push_back(many + " -F gid=1");
  lines.push_back(many + " -F gid=1 -F gid=2");
  lines.push_back(many + " -k x");
  lines.push_back(many + " -F gid=1 -k x");
  lines.push_back(many + " -C uid!=euid -p wa");
}

void add_controls(Lines& lines) {
  lines.insert(lines.end(), {"-D",
                             "-D -k x",
                             "-D -k",
                             "-D x",
                             "-Dk x",
                             "-D -k x y",
                             "-D -i",
                             "-e 0",
                             "-e 1",
                             "-e 3",
                             "-e 01",
                             "-e",
                             "-e0",
                             "-f 0",
                             "-f 1",
                             "-f 3",
                             "-f 01",
                             "-f",
                             "-b 8192",
                             "-b 0x2000",
                             "-b 08",
                             "-b 8192junk",
                             "-b -1",
                             "-b x",
                             "-b",
                             "-b 99999999999",
                             "-b 99999999999999999999999",
                             "-r 100",
                             "-r 0",
                             "-r x",
                             "-r",
                             "--backlog_wait_time 60000",
                             "--backlog_wait_time 15000",
                             "--backlog_wait_time=0",
                             "--backlog_wait_time",
                             "--backlog_wait_time x",
                             "--backlog_wait_time 600001",
                             "--backlog 1000",
                             "--reset-lost",
                             "--reset_lost",
                             "--reset",
                             "--reset-",
                             "--reset_backlog_wait_time_actual",
                             "--reset_",
                             "--reset-lost=1",
                             "--signal",
                             "--signal NONE",
                             "--nonsense",
                             "--backlog-wait-time 5",
                             "-s",
                             "-s -i",
                             "-s x",
                             "-si",
                             "-s -i x",
                             "-l",
                             "-l -i",
                             "-l -k x",
                             "-l x",
                             "-v",
                             "-h",
                             "-v x",
                             "-m text",
                             "-m text more",
                             "-m",
                             "-m te\\ xt",
                             "-q /a,/b,/c",
                             "-q /a",
                             "-q /a,",
                             "-q ,/b",
                             "-q",
                             "-t",
                             "-t x",
                             "-t x y z",
                             "-R /rules",
                             "-R",
                             "- s",
                             "word",
                             "word -D",
                             "-- -D",
                             "--",
                             "-",
                             "-z",
                             "-dx",
                             "-=",
                             "-b 8192 -f 1",
                             "-b 8192 -w /etc/passwd -p wa",
                             "-w /etc/passwd -p wa -b 8192",
                             "-b8192 -r0",
                             "-e 1 -b 64",
                             "-e1 -l",
                             "-e 1 -D",
                             "-e1 -s",
                             "-e 1 -l -k x",
                             "-w /etc/passwd -v",
                             "-w /etc/passwd -t",
                             "-w/etc/passwd -s",
                             "-v -w /etc/passwd",
                             "-b 64 -D",
                             "-b64 -D",
                             "-s -w /etc/passwd",
                             "-vt",
                             "-tv",
                             "-vs",
                             "-b 64 word",
                             "word -b 64",
                             "-b 64 -- word",
                             "-a always,exit -S open x",
                             "x -a always,exit -S open",
                             "-a always,exit x -S open",
                             "-a always,exit -- -S open",
                             "#-D",
                             " # comment",
                             "\\#x",
                             "-d",
                             "-W",
                             "-d always,exit -w /etc/passwd",
                             "-a always,exit -a always,exit",
                             "-a always,exit -A always,exit",
                             "-a always,exit -d always,exit",
                             "\xe2\x80\x93"
                             "a always,exit",
                             "-a always,exit \xe2\x80\x93"
                             "S open",
                             "-a exit,possible -F uid=0",
                             "-a possible,exit",
                             "-a exit,possible junk",
                             "-a exit,possible -F nofield=1"});
}

void add_broken_endings(Lines& lines) {
  for (const std::string& line : Lines{"-w /etc/passwd -p wa -k id", "-w /etc/passwd -p wa",
                                       "-a always,exit -S open", "-a always,exit -F uid=0", "-D", "-b 8192",
                                       "-e 1", "-a always,exit", "-a always,exit -F path=/etc/passwd"}) {
    lines.push_back(line + "\r");
    lines.push_back(line + " \r");
    lines.push_back(line + "\t");
    lines.push_back(line + " ");
    lines.push_back(line + std::string(1, '\0') + " -k x");
  }
  lines.push_back("\r");
  lines.push_back("\t");
  std::string dense;
  for (int i = 0; i < 40; ++i) dense += "-S 0 ";
  lines.push_back("-a always,exit " + dense);
  lines.push_back("-a always,exit -F arch=b64 " + dense + dense + dense + "-S 1 -S 2 -S 3");
}

}  // namespace

std::vector<std::string> generated_rules() {
  Lines lines;
  add_fields(lines);
  add_lists(lines);
  add_syscalls(lines);
  add_comparisons(lines);
  add_watches(lines);
  add_fields_in_order(lines);
  add_controls(lines);
  add_broken_endings(lines);
  return lines;
}

}  // namespace auditshift::testing
