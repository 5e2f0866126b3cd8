// SPDX-License-Identifier: Apache-2.0
// usage: generate_log BYTES [SEED]: writes an audit log of that size, as auditd in its default ENRICHED
// format writes it, to standard output. The same seed gives the same bytes.
#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <string>

namespace {

struct Program {
  const char* comm;
  const char* exe;
  const char* proctitle;
};

constexpr std::array<Program, 8> kPrograms = {{
    {"cat", "/usr/bin/cat", "636174002F6574632F706173737764"},
    {"bash", "/usr/bin/bash", "2F62696E2F62617368"},
    {"nginx", "/usr/sbin/nginx", "6E67696E783A20776F726B65722070726F63657373"},
    {"postgres", "/usr/lib/postgresql/15/bin/postgres", "706F7374677265733A20636865636B706F696E74657220"},
    {"python3", "/usr/bin/python3.11", "707974686F6E33002F6F70742F6170702F6D61696E2E7079"},
    {"sshd", "/usr/sbin/sshd", "737368643A20616C6963652040707473"},
    {"cron", "/usr/sbin/cron", "2F7573722F7362696E2F43524F4E002D66"},
    {"my tool", "2F6F70742F6D7920746F6F6C732F746F6F6C", "2F6F70742F6D7920746F6F6C732F746F6F6C"},
}};

struct Call {
  int number;
  const char* name;
  int paths;
  const char* key;
};

constexpr std::array<Call, 8> kCalls = {{
    {257, "openat", 1, "\"access\""},
    {59, "execve", 2, "\"exec\""},
    {42, "connect", 0, "\"network\""},
    {82, "rename", 4, "\"delete\""},
    {87, "unlink", 2, "\"delete\""},
    {90, "chmod", 1, "\"perm_mod\""},
    {257, "openat", 2, "(null)"},
    {49, "bind", 0, "\"network\""},
}};

// aureport keeps files and processes in linear lists: with many of them it takes hours for what takes this
// log's reader a second. A busy but monotonous server is the fair comparison.
constexpr unsigned kProcesses = 300;
constexpr unsigned kFiles = 500;

class Generator {
 public:
  Generator(std::uint64_t bytes, std::uint32_t seed) : left_(bytes), random_(seed) {}

  void run() {
    while (left_ > 0) {
      millis_ += random(5);
      ++serial_;
      if (random(16) == 0) {
        user_event();
      } else {
        syscall_event();
      }
    }
    std::fflush(stdout);
  }

 private:
  unsigned random(unsigned below) { return static_cast<unsigned>(random_()) % below; }

  const char* stamp(const char* type) {
    std::snprintf(stamp_, sizeof stamp_, "type=%s msg=audit(%llu.%03llu:%llu):", type,
                  static_cast<unsigned long long>(1'760'000'000 + millis_ / 1000),
                  static_cast<unsigned long long>(millis_ % 1000), static_cast<unsigned long long>(serial_));
    return stamp_;
  }

  void emit(const char* line, int length) {
    std::fwrite(line, 1, static_cast<std::size_t>(length), stdout);
    const auto size = static_cast<std::uint64_t>(length);
    left_ -= size < left_ ? size : left_;
  }

  void user_event() {
    char line[2048];
    const unsigned pid = 1000 + random(kProcesses);
    emit(line, std::snprintf(line, sizeof line,
                             "%s pid=%u uid=0 auid=1000 ses=%u subj=unconfined msg='op=PAM:session_open "
                             "grantors=pam_unix acct=\"alice\" exe=\"/usr/sbin/sshd\" hostname=192.0.2.7 "
                             "addr=192.0.2.7 terminal=ssh res=success'\x1dUID=\"root\" AUID=\"alice\"\n",
                             stamp("USER_START"), pid, random(200)));
  }

  void syscall_event() {
    const Program& program = kPrograms[random(kPrograms.size())];
    const Call& call = kCalls[random(kCalls.size())];
    char line[4096];
    const bool quoted = program.exe[0] == '/';
    const unsigned pid = 1000 + random(kProcesses);
    emit(line,
         std::snprintf(line, sizeof line,
                       "%s arch=c000003e syscall=%d success=yes exit=3 a0=ffffff9c a1=7ffd%08x a2=0 a3=0 "
                       "items=%d ppid=%u pid=%u auid=1000 uid=0 gid=0 euid=0 suid=0 fsuid=0 egid=0 sgid=0 "
                       "fsgid=0 tty=pts0 ses=5 comm=%s%s%s exe=%s%s%s subj=unconfined key=%s\x1d"
                       "ARCH=x86_64 SYSCALL=%s AUID=\"alice\" UID=\"root\" GID=\"root\" EUID=\"root\" "
                       "SUID=\"root\" FSUID=\"root\" EGID=\"root\" SGID=\"root\" FSGID=\"root\"\n",
                       stamp("SYSCALL"), call.number, random(1U << 30), call.paths, pid / 2, pid,
                       quoted ? "\"" : "", quoted ? program.comm : "6D7920746F6F6C", quoted ? "\"" : "",
                       quoted ? "\"" : "", program.exe, quoted ? "\"" : "", call.key, call.name));
    if (call.number == 59)
      emit(line, std::snprintf(line, sizeof line, "%s argc=3 a0=\"%s\" a1=\"-c\" a2=\"/etc/app/config.%u\"\n",
                               stamp("EXECVE"), program.comm, random(1000)));
    if (call.paths == 0)
      emit(line, std::snprintf(line, sizeof line,
                               "%s saddr=02000035C00002%02X0000000000000000\x1dSADDR={ saddr_fam=inet "
                               "laddr=192.0.2.%u lport=53 }\n",
                               stamp("SOCKADDR"), random(250), random(250)));
    if (call.paths > 0)
      emit(line, std::snprintf(line, sizeof line, "%s cwd=\"/home/alice/work\"\n", stamp("CWD")));
    for (int i = 0; i < call.paths; ++i)
      emit(line,
           std::snprintf(line, sizeof line,
                         "%s item=%d name=\"/var/lib/app/data/%08x.tmp\" inode=%u dev=fd:00 mode=0100644 "
                         "ouid=0 ogid=0 rdev=00:00 nametype=NORMAL cap_fp=0 cap_fi=0 cap_fe=0 cap_fver=0 "
                         "cap_frootid=0\x1dOUID=\"root\" OGID=\"root\"\n",
                         stamp("PATH"), i, random(kFiles), 100000 + random(kFiles)));
    emit(line, std::snprintf(line, sizeof line, "%s proctitle=%s\n", stamp("PROCTITLE"), program.proctitle));
  }

  std::uint64_t left_;
  std::mt19937 random_;
  std::uint64_t millis_ = 0;
  std::uint64_t serial_ = 1000;
  char stamp_[128] = {};
};

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: generate_log BYTES [SEED]\n");
    return 64;
  }
  const auto seed = argc > 2 ? static_cast<std::uint32_t>(std::strtoul(argv[2], nullptr, 10)) : 1U;
  Generator(std::strtoull(argv[1], nullptr, 10), seed).run();
  return 0;
}
