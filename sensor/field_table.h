// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "sensor/event.h"
#include "sensor/json_text.h"

namespace auditshift::sensor {

/// What all events of one stream have in common.
struct StreamIdentity {
  std::string hostname;
  std::string machine_id;  ///< /etc/machine-id
  std::string boot_id;     ///< /proc/sys/kernel/random/boot_id
  std::string kernel;      ///< uname -r
  std::string version;     ///< of this program
};

/// One event on its way to a line of text.
struct Record {
  const Event& event;
  const StreamIdentity& stream;
  std::string_view provider;   ///< "ebpf"
  std::uint64_t sequence = 0;  ///< of this event in the stream, from 1
};

class FieldTable;
class FieldWriter;

/// What a field's value depends on: a text that was made once is used again as long as that is the same.
enum class Scope : std::uint8_t {
  event,
  stream,  ///< the same in every record of a stream that is of the same kind and comes from the same provider
  process,  ///< on Event::process alone, and on when it started by the wall clock
  call,     ///< on which system call it was, not on its result and arguments
};

/// One field of a schema: where it stands in the document, for which kinds it is asked, and where its value
/// comes from. `write` gives the writer a value, or none when the event does not tell: then the field is left
/// out, since absence means "unknown".
struct Field {
  std::string_view path;  ///< "process.parent.pid"
  KindSet kinds;
  void (*write)(FieldWriter&, const Record&);
  Scope scope = Scope::event;
};

/// Puts values into the document under the paths of a table, opening and closing objects as needed.
/// A member function that takes a value is called at most once per field.
class FieldWriter {
 public:
  void text(std::string_view value);     ///< always, even when empty
  void text_if(std::string_view value);  ///< unless empty
  void number(std::uint64_t value);
  void signed_number(std::int64_t value);
  void boolean(bool value);
  void flag(bool value);               ///< `true`, or nothing
  void id(std::uint32_t value);        ///< number, unless kUnknownId
  void id_text(std::uint32_t value);   ///< the same as a string, as ECS and OCSF want ids
  void time(std::int64_t wall_ns);     ///< RFC 3339
  void path(const Path& value);        ///< its text, unless there is none
  void json(std::string_view value);   ///< JSON text made before
  void address(const Address& value);  ///< "192.0.2.1", "2001:db8::1"; nothing for other families
  void process_id(const StreamIdentity& stream, const ProcessIdentity& value);  ///< see process_uid()
  void arguments(const Arguments& value);                                       ///< array of strings
  void command_line(const Arguments& value);            ///< arguments joined by a space
  void octal(std::uint32_t value);                      ///< "0644"
  void numbers(std::span<const std::uint64_t> values);  ///< array, unless all are 0
  /// Paths of the fields so far whose text holds bytes that are no UTF-8 (see append_json_string); nothing
  /// when there are none. For the last field of a table.
  void escaped_fields();

 private:
  friend class FieldTable;

  void open_field();
  void string_value(std::string_view value);

  TextBuffer* out_ = nullptr;
  FieldTable* table_ = nullptr;
  std::uint16_t field_ = 0;  ///< the one being asked
  std::uint16_t last_ = 0;   ///< the last one that had a value; the number of fields when none had
  std::vector<std::string_view> escaped_;
  TextBuffer scratch_;
  TimeText time_;
};

/// A schema made ready: for each kind the fields that apply. The order of a table is the order of the
/// document; the fields of one object stand together.
class FieldTable {
 public:
  explicit FieldTable(std::span<const Field> fields);

  /// Appends one line, newline included.
  void append(TextBuffer& out, const Record& record);

 private:
  friend class FieldWriter;

  /// All that stands between the values of two fields: closing and opening objects, comma, key.
  std::string_view transition(std::uint16_t from, std::uint16_t to) {
    const std::string& known = transitions_[std::size_t{from} * fields_.size() + to];
    return known.empty() ? make_transition(from, to) : known;
  }
  std::string_view make_transition(std::uint16_t from, std::uint16_t to);
  /// Fields of one scope that follow each other in the documents of some kinds.
  struct Run {
    std::vector<std::uint16_t> fields;
    Scope scope = Scope::event;
  };
  /// A run's text, for documents that came to it from the field `from`.
  struct RunText {
    std::string text;
    std::uint16_t from = 0;
    std::uint16_t last = 0;  ///< last field that has a value
    bool made = false;
  };
  /// What a document of a kind consists of.
  struct Part {
    std::uint16_t run = 0;  ///< its number
    RunText text;           ///< where that is of the stream or of the call
    // The call that the text is of.
    int number = -1;
    Abi abi = Abi::unknown;
    std::string name;
  };
  /// A process of which there are texts; `process` refers to the strings here.
  struct KnownProcess {
    Process process;
    std::int64_t to_wall = 0;  ///< nanoseconds from the time since boot to the wall clock
    bool started = false;      ///< before the event
    std::string comm, executable, container_id;
    std::vector<RunText> runs;  ///< by number of the run
  };

  void write_field(std::uint16_t field, const Record& record);
  void append_run(RunText& known, const Run& run, const Record& record);
  KnownProcess& known_process(const Event& event);
  static RunText& text_of_call(Part& part, const Syscall& call);
  /// Forgets the texts that are of the stream.
  void follow_provider(std::string_view provider);

  std::span<const Field> fields_;
  std::vector<std::vector<std::string>> paths_;  ///< components, by field
  std::vector<std::string> transitions_;         ///< by from and to; from the number of fields: at the start
  std::vector<Run> runs_;
  std::array<std::vector<Part>, AS_KIND_LIMIT> by_kind_;
  std::vector<KnownProcess> processes_;  ///< by the last bits of the pid
  std::string provider_;                 ///< that the texts of the stream are of
  FieldWriter writer_;
};

/// Name of one process for as long as the host runs and beyond: first eight digits of the boot id, pid, start
/// in nanoseconds since boot, joined by '-'. Empty when the start is not known.
void append_process_uid(TextBuffer& out, const StreamIdentity& stream, const ProcessIdentity& process);

/// Last component of a path.
std::string_view base_name(std::string_view path);

}  // namespace auditshift::sensor
