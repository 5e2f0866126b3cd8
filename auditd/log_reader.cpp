// SPDX-License-Identifier: Apache-2.0
#include "auditd/log_reader.h"

#include <libaudit.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>
#include <unordered_map>

#include "auditd/log_record.h"
#include "auditd/log_tables.h"

namespace auditshift::auditd {
namespace {

// A kernel record has at most 8,970 bytes (MAX_AUDIT_MESSAGE_LENGTH), auditd's interpretations come on top.
constexpr std::size_t kLongestLine = std::size_t{256} << 10;
// Events whose records may be mixed at one time; more than the processors that write at once.
constexpr std::size_t kOpenEvents = 32;
constexpr std::size_t kTypesPerEvent = 12;

constexpr std::size_t kNameLimit = 20'000;
constexpr std::size_t kTypeLimit = 1'000;
constexpr std::size_t kSyscallLimit = 4'000;
constexpr std::size_t kCellLimit = 100'000;

/// How a record type takes part in its event.
struct TypeTraits {
  bool known = false;
  bool syscall = false;  ///< holds arch, syscall, exe and key
  bool keyed = false;    ///< holds a key
  bool may_name_exe = false;
  bool alone = false;  ///< always an event of one record
  bool last = false;   ///< ends its event
};

/// Types without exe=, which make most of a log.
bool is_detail(int type) {
  switch (type) {
    case AUDIT_PATH:
    case AUDIT_CWD:
    case AUDIT_EXECVE:
    case AUDIT_SOCKADDR:
    case AUDIT_SOCKETCALL:
    case AUDIT_PROCTITLE:
    case AUDIT_EOE:
    case AUDIT_IPC:
    case AUDIT_IPC_SET_PERM:
    case AUDIT_FD_PAIR:
    case AUDIT_OBJ_PID:
    case AUDIT_MMAP:
    case AUDIT_CAPSET:
    case AUDIT_BPRM_FCAPS:
    case AUDIT_MQ_OPEN:
    case AUDIT_MQ_SENDRECV:
    case AUDIT_MQ_NOTIFY:
    case AUDIT_MQ_GETSETATTR:
      return true;
    default:
      return false;
  }
}

TypeTraits traits_of(const std::string& name) {
  constexpr int kUringOp = 1336;  // AUDIT_URINGOP, newer than some headers
  const int type = audit_name_to_msg_type(name.c_str());
  TypeTraits traits;
  traits.known = true;
  traits.syscall = type == AUDIT_SYSCALL;
  traits.keyed = traits.syscall || type == kUringOp || name == "URINGOP";
  traits.may_name_exe = !is_detail(type);
  // Sent by programs, one message each: 1100-1299 and 2100-2999; and printk text.
  traits.alone = (type >= AUDIT_FIRST_USER_MSG && type < AUDIT_FIRST_EVENT) ||
                 (type >= AUDIT_FIRST_USER_MSG2 && type <= AUDIT_LAST_USER_MSG2) || type == AUDIT_KERNEL;
  // The kernel logs PROCTITLE as the last record of a syscall's event; EOE, which follows, auditd leaves out.
  traits.last = type == AUDIT_PROCTITLE || type == AUDIT_EOE;
  return traits;
}

struct OpenEvent {
  EventStamp stamp;
  std::uint64_t order = 0;  ///< when it was opened; 0: the slot is free
  std::uint32_t node = 0;
  std::uint32_t executable = 0;
  std::uint32_t key = 0;
  std::uint32_t syscall = 0;
  bool has_syscall = false;
  bool has_executable = false;
  bool has_key = false;
  std::uint64_t bytes = 0;
  std::uint32_t type_count = 0;
  struct TypeBytes {
    std::uint32_t type;
    std::uint64_t bytes;
  };
  std::array<TypeBytes, kTypesPerEvent> types;
};

/// Absent parts of a class; an Interner never gives this number.
constexpr std::uint32_t kNone = 0xffffffff;

struct ClassIds {
  std::uint32_t key = kNone;
  std::uint32_t syscall = kNone;
  std::uint32_t executable = kNone;

  bool operator==(const ClassIds&) const = default;
};

struct HashClass {
  std::size_t operator()(const ClassIds& ids) const {
    std::uint64_t hash = (std::uint64_t{ids.key} << 32 | ids.syscall) * 0x9e3779b97f4a7c15ULL;
    hash = ((hash ^ (hash >> 31)) + ids.executable) * 0xbf58476d1ce4e5b9ULL;
    return hash ^ (hash >> 32);
  }
};

struct Interval {
  std::uint32_t begin = 1;
  std::uint32_t end = 0;
  bool holds(std::uint32_t seconds) const { return seconds >= begin && seconds < end; }
};

std::string syscall_name(std::uint32_t arch, int number) {
  const int machine = audit_elf_to_machine(arch);
  const char* machine_name = machine < 0 ? nullptr : audit_machine_to_name(machine);
  const char* name = machine < 0 ? nullptr : audit_syscall_to_name(number, machine);
  char hex[16];
  std::snprintf(hex, sizeof hex, "%x", arch);
  return std::string(machine_name != nullptr ? machine_name : hex) + ":" +
         (name != nullptr ? std::string(name) : std::to_string(number));
}

}  // namespace

/// Puts records together to events and adds the events up.
class LogReader::Counter {
 public:
  explicit Counter(const LogOptions& options) : options_(options) {
    if (options.since) {
      const auto seconds = options.since->time_since_epoch().count();
      since_ = static_cast<std::uint32_t>(std::clamp<std::int64_t>(seconds, 0, 0xffffffff));
    }
  }

  void line(std::string_view line);
  void malformed_line() {
    ++statistics_.lines;
    ++statistics_.malformed;
  }
  void truncated() { ++statistics_.truncated; }
  LogStatistics finish();

 private:
  OpenEvent* event_for(const RecordHead& head);
  OpenEvent* find_or_open(const EventStamp& stamp, std::uint32_t node);
  const TypeTraits& traits(std::uint32_t type);
  void read_fields(OpenEvent& event, const TypeTraits& traits, std::string_view body);
  void close(OpenEvent& event);
  void count_class(const OpenEvent& event, Volume volume);
  void set_day(std::uint32_t seconds);
  EventClass class_of(const ClassIds& ids) const;
  void name_syscalls(const DailyTable& table, DailyVolumes& into) const;

  const LogOptions options_;
  std::uint32_t since_ = 0;
  LogStatistics statistics_;
  bool any_event_ = false;

  Interner types_{kTypeLimit};
  Interner nodes_{kTypeLimit};
  Interner executables_{kNameLimit};
  Interner keys_{kNameLimit};
  Interner syscalls_{kSyscallLimit};  ///< the bytes of a SyscallNumber
  std::vector<TypeTraits> type_traits_;
  DailyTable by_type_{kCellLimit};
  DailyTable by_executable_{kCellLimit};
  DailyTable by_key_{kCellLimit};
  DailyTable by_syscall_{kCellLimit};
  std::unordered_map<ClassIds, Volume, HashClass> classes_;
  Interval day_;

  std::array<OpenEvent, kOpenEvents> open_{};
  std::uint64_t opened_ = 0;
  OpenEvent* last_ = nullptr;  ///< the event of the line before, when it is still open
  char last_stamp_[64] = {};
  std::size_t last_stamp_size_ = 0;
  std::uint32_t last_node_ = 0;
  std::string buffer_;
};

const TypeTraits& LogReader::Counter::traits(std::uint32_t type) {
  if (type >= type_traits_.size()) type_traits_.resize(type + 1);
  if (!type_traits_[type].known) type_traits_[type] = traits_of(types_.name(type));
  return type_traits_[type];
}

void LogReader::Counter::line(std::string_view line) {
  ++statistics_.lines;
  const std::optional<RecordHead> head = parse_record_head(line);
  if (!head) {
    ++statistics_.malformed;
    return;
  }
  OpenEvent* event = event_for(*head);
  if (event == nullptr) return;
  const std::uint32_t type = types_.id_of(head->type);
  const TypeTraits& type_traits = traits(type);
  const std::uint64_t bytes = line.size() + 1;
  event->bytes += bytes;
  std::uint32_t at = 0;
  while (at < event->type_count && event->types[at].type != type) ++at;
  if (at == event->type_count && at < kTypesPerEvent) event->types[event->type_count++] = {type, 0};
  event->types[std::min<std::size_t>(at, kTypesPerEvent - 1)].bytes += bytes;

  if (type_traits.may_name_exe) read_fields(*event, type_traits, head->body);
  if (type_traits.alone || type_traits.last) {
    if (type_traits.last) event->has_syscall = false;  // complete: not to be counted as unfinished
    close(*event);
    last_ = nullptr;
  }
}

OpenEvent* LogReader::Counter::event_for(const RecordHead& head) {
  const std::uint32_t node = head.node.empty() ? 0 : nodes_.id_of(head.node);
  if (last_ != nullptr && node == last_node_ && head.stamp == std::string_view(last_stamp_, last_stamp_size_))
    return last_;
  const std::optional<EventStamp> stamp = parse_event_stamp(head.stamp);
  if (!stamp) {
    ++statistics_.malformed;
    return nullptr;
  }
  if (stamp->seconds < since_) return nullptr;
  OpenEvent* event = find_or_open(*stamp, node);
  last_ = event;
  last_node_ = node;
  last_stamp_size_ = std::min(head.stamp.size(), sizeof last_stamp_);
  std::memcpy(last_stamp_, head.stamp.data(), last_stamp_size_);
  return event;
}

OpenEvent* LogReader::Counter::find_or_open(const EventStamp& stamp, std::uint32_t node) {
  OpenEvent* slot = &open_[0];
  for (OpenEvent& event : open_) {
    if (event.order != 0 && event.stamp.serial == stamp.serial && event.stamp == stamp &&
        event.node == node) {
      ++statistics_.interleaved;
      return &event;
    }
    if (event.order < slot->order) slot = &event;
  }
  if (slot->order != 0) close(*slot);
  // The array of types is valid up to type_count only.
  slot->stamp = stamp;
  slot->order = ++opened_;
  slot->node = node;
  slot->has_syscall = slot->has_executable = slot->has_key = false;
  slot->syscall = kNone;
  slot->bytes = 0;
  slot->type_count = 0;
  return slot;
}

void LogReader::Counter::read_fields(OpenEvent& event, const TypeTraits& type_traits, std::string_view body) {
  const std::string_view raw = raw_body(body);
  const ExeAndKey found = find_exe_and_key(raw, type_traits.keyed);
  if (type_traits.syscall || !event.has_executable) {
    const std::string_view exe = decode_value(found.exe, buffer_);
    if (!exe.empty()) {
      event.executable = executables_.id_of(exe);
      event.has_executable = true;
    }
  }
  if (type_traits.keyed) {
    const std::string_view key = decode_value(found.key, buffer_);
    if (!key.empty()) {
      event.key = keys_.id_of(key);
      event.has_key = true;
    }
  }
  if (type_traits.syscall) {
    const SyscallNumber number = parse_syscall_number(raw);
    char bytes[sizeof number];
    std::memcpy(bytes, &number, sizeof number);
    event.syscall = syscalls_.id_of({bytes, sizeof bytes});
    event.has_syscall = true;
  }
}

void LogReader::Counter::set_day(std::uint32_t seconds) {
  constexpr std::uint32_t kDay = 86'400;
  const std::uint32_t number = seconds / kDay;
  day_ = {number * kDay, static_cast<std::uint32_t>(
                             std::min<std::uint64_t>((std::uint64_t{number} + 1) * kDay, 0xffffffffULL))};
  const std::chrono::sys_days day{std::chrono::days(number)};
  if (!any_event_ || day < statistics_.first_day) statistics_.first_day = day;
  if (!any_event_ || day > statistics_.last_day) statistics_.last_day = day;
  any_event_ = true;
  for (DailyTable* table : {&by_type_, &by_executable_, &by_key_, &by_syscall_}) table->set_day(day);
}

void LogReader::Counter::close(OpenEvent& event) {
  if (!day_.holds(event.stamp.seconds)) set_day(event.stamp.seconds);
  const Volume volume{1, event.bytes};
  statistics_.total += volume;
  for (std::uint32_t i = 0; i < event.type_count; ++i)
    by_type_.add(event.types[i].type, {1, event.types[i].bytes});
  if (event.has_executable) by_executable_.add(event.executable, volume);
  if (event.has_key) by_key_.add(event.key, volume);
  if (event.syscall != kNone) by_syscall_.add(event.syscall, volume);
  if (event.has_syscall) ++statistics_.unfinished;
  count_class(event, volume);
  event.order = 0;
  if (last_ == &event) last_ = nullptr;
}

void LogReader::Counter::count_class(const OpenEvent& event, Volume volume) {
  ClassIds ids;
  if (event.has_key) ids.key = event.key;
  if (event.has_executable) ids.executable = event.executable;
  ids.syscall = event.syscall;
  if (ids.executable == Interner::kOther) ++statistics_.classes_folded;
  if (const auto known = classes_.find(ids); known != classes_.end()) {
    known->second += volume;
    return;
  }
  if (classes_.size() >= options_.class_limit) {
    if (ids.executable != Interner::kOther) ++statistics_.classes_folded;
    ids.executable = Interner::kOther;
    // Even keys and syscalls may be without end in a hostile log.
    if (classes_.size() >= options_.class_limit * 2 && !classes_.contains(ids))
      ids = {Interner::kOther, Interner::kOther, Interner::kOther};
  }
  classes_[ids] += volume;
}

EventClass LogReader::Counter::class_of(const ClassIds& ids) const {
  EventClass event_class;
  if (ids.key != kNone) event_class.key = keys_.name(ids.key);
  if (ids.executable != kNone) event_class.executable = executables_.name(ids.executable);
  if (ids.syscall != kNone && ids.syscall != Interner::kOther) {
    SyscallNumber number;
    std::memcpy(&number, syscalls_.name(ids.syscall).data(), sizeof number);
    event_class.arch = number.arch;
    event_class.syscall = number.number;
  }
  return event_class;
}

void LogReader::Counter::name_syscalls(const DailyTable& table, DailyVolumes& into) const {
  for (const DailyTable::Cell& cell : table.cells()) {
    std::string name = syscalls_.name(cell.id);
    if (cell.id != Interner::kOther) {
      SyscallNumber number;
      std::memcpy(&number, name.data(), sizeof number);
      name = syscall_name(number.arch, number.number);
    }
    into[name][cell.day] += cell.volume;
  }
}

LogStatistics LogReader::Counter::finish() {
  std::vector<OpenEvent*> left;
  for (OpenEvent& event : open_)
    if (event.order != 0) left.push_back(&event);
  std::sort(left.begin(), left.end(), [](const auto* a, const auto* b) { return a->order < b->order; });
  for (OpenEvent* event : left) close(*event);
  for (DailyTable* table : {&by_type_, &by_executable_, &by_key_, &by_syscall_}) table->flush();

  LogStatistics& result = statistics_;
  if (any_event_) result.days = static_cast<std::uint64_t>((result.last_day - result.first_day).count()) + 1;
  for (const auto& cell : by_type_.cells())
    result.by_record_type[types_.name(cell.id)][cell.day] += cell.volume;
  for (const auto& cell : by_executable_.cells())
    result.by_executable[executables_.name(cell.id)][cell.day] += cell.volume;
  for (const auto& cell : by_key_.cells())
    for (const std::string& key : split_keys(keys_.name(cell.id)))
      result.by_key[key][cell.day] += cell.volume;
  name_syscalls(by_syscall_, result.by_syscall);
  for (const auto& [ids, volume] : classes_) result.classes[class_of(ids)] += volume;
  return std::move(statistics_);
}

LogReader::LogReader(const LogOptions& options) : counter_(std::make_unique<Counter>(options)) {}
LogReader::~LogReader() = default;
LogReader::LogReader(LogReader&&) noexcept = default;
LogReader& LogReader::operator=(LogReader&&) noexcept = default;

void LogReader::feed(std::string_view bytes) {
  while (!bytes.empty()) {
    const std::size_t end = bytes.find('\n');
    const std::string_view piece = bytes.substr(0, end);
    if (end == std::string_view::npos) {
      if (!skipping_ && carry_.size() + piece.size() > kLongestLine) {
        skipping_ = true;
        carry_.clear();
      }
      if (!skipping_) carry_ += piece;
      return;
    }
    if (skipping_ || carry_.size() + piece.size() > kLongestLine) {
      counter_->malformed_line();
    } else if (carry_.empty()) {
      counter_->line(piece);
    } else {
      carry_ += piece;
      counter_->line(carry_);
    }
    skipping_ = false;
    carry_.clear();
    bytes.remove_prefix(end + 1);
  }
}

void LogReader::end_of_file() {
  if (!carry_.empty() || skipping_) counter_->truncated();
  carry_.clear();
  skipping_ = false;
}

void LogReader::mark_truncated() { counter_->truncated(); }

LogStatistics LogReader::finish() { return counter_->finish(); }

}  // namespace auditshift::auditd
