// SPDX-License-Identifier: Apache-2.0
#include "migrate/fleet/database.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "base/fd.h"
#include "base/text.h"

namespace auditshift::migrate::fleet {
namespace {

using base::Errc;
using base::Error;
using base::Result;

constexpr int kBusyMilliseconds = 5000;

Error sql_error(sqlite3* connection, const std::string& what) {
  const int code = connection == nullptr ? SQLITE_NOMEM : sqlite3_errcode(connection);
  const std::string why = connection == nullptr ? "out of memory" : sqlite3_errmsg(connection);
  switch (code & 0xFF) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return Error(Errc::busy, what + ": " + why).with_hint("another program is writing to it; try again");
    case SQLITE_NOTADB:
      return {Errc::invalid, what + ": not an SQLite database"};
    case SQLITE_FULL:
      return {Errc::no_space, what + ": " + why};
    case SQLITE_AUTH:
      return Error(Errc::permission, what + ": not allowed here")
          .with_hint("queries can only read: SELECT, WITH, VALUES, EXPLAIN");
    case SQLITE_READONLY:
      return {Errc::permission, what + ": " + why};
    default:
      return {Errc::io, what + ": " + why};
  }
}

std::string file_of(sqlite3* connection) {
  const char* name = sqlite3_db_filename(connection, "main");
  return name == nullptr || *name == '\0' ? "database" : name;
}

/// Reading this database, and nothing else: no writing, no other file, no settings.
int allow_reading(void*, int action, const char* first, const char* second, const char*, const char*) {
  switch (action) {
    case SQLITE_SELECT:
    case SQLITE_READ:
    case SQLITE_RECURSIVE:
      return SQLITE_OK;
    case SQLITE_FUNCTION:
      return second != nullptr && base::to_lower(second) == "load_extension" ? SQLITE_DENY : SQLITE_OK;
    case SQLITE_PRAGMA: {
      // What a person asks to find the way about; each only reads.
      static constexpr std::array<std::string_view, 6> kHarmless = {
          "table_info", "table_list", "table_xinfo", "index_list", "user_version", "application_id"};
      const std::string name = first == nullptr ? "" : base::to_lower(first);
      const bool harmless = std::find(kHarmless.begin(), kHarmless.end(), name) != kHarmless.end();
      return harmless && (name.starts_with("table") || name.starts_with("index") || second == nullptr)
                 ? SQLITE_OK
                 : SQLITE_DENY;
    }
    default:
      return SQLITE_DENY;
  }
}

int bind(sqlite3_stmt* statement, int place, const SqlValue& value) {
  struct Binder {
    sqlite3_stmt* statement;
    int place;
    int operator()(std::nullptr_t) const { return sqlite3_bind_null(statement, place); }
    int operator()(std::int64_t number) const { return sqlite3_bind_int64(statement, place, number); }
    int operator()(double number) const { return sqlite3_bind_double(statement, place, number); }
    int operator()(const std::string& text) const {
      return sqlite3_bind_text64(statement, place, text.data(), text.size(), SQLITE_TRANSIENT, SQLITE_UTF8);
    }
    int operator()(const Blob& blob) const {
      return sqlite3_bind_blob64(statement, place, blob.bytes.data(), blob.bytes.size(), SQLITE_TRANSIENT);
    }
  };
  return std::visit(Binder{statement, place}, value);
}

}  // namespace

void Statement::Finalize::operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
void Database::Close::operator()(sqlite3* connection) const { sqlite3_close_v2(connection); }

Result<void> Statement::start(std::initializer_list<SqlValue> values) {
  sqlite3_reset(statement_.get());
  int place = 0;
  for (const SqlValue& value : values)
    if (bind(statement_.get(), ++place, value) != SQLITE_OK)
      return sql_error(connection_, file_of(connection_));
  return {};
}

Result<bool> Statement::next() {
  switch (sqlite3_step(statement_.get())) {
    case SQLITE_ROW:
      return true;
    case SQLITE_DONE:
      return false;
    default:
      return sql_error(connection_, file_of(connection_));
  }
}

Result<void> Statement::run(std::initializer_list<SqlValue> values) {
  AUDITSHIFT_TRY_VOID(start(values));
  auto more = next();
  while (more && *more) more = next();
  // The error was taken; a reset would only repeat it, and without one the statement holds its locks.
  sqlite3_reset(statement_.get());
  if (!more) return std::move(more).error();
  return {};
}

int Statement::columns() const { return sqlite3_column_count(statement_.get()); }

std::string Statement::column_name(int column) const {
  const char* name = sqlite3_column_name(statement_.get(), column);
  return name == nullptr ? "" : name;
}

SqlValue Statement::value(int column) const {
  sqlite3_stmt* row = statement_.get();
  switch (sqlite3_column_type(row, column)) {
    case SQLITE_INTEGER:
      return sqlite3_column_int64(row, column);
    case SQLITE_FLOAT:
      return sqlite3_column_double(row, column);
    case SQLITE_TEXT: {
      const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(row, column));
      return std::string(text, static_cast<std::size_t>(sqlite3_column_bytes(row, column)));
    }
    case SQLITE_BLOB: {
      const auto* bytes = static_cast<const char*>(sqlite3_column_blob(row, column));
      const auto size = static_cast<std::size_t>(sqlite3_column_bytes(row, column));
      return Blob{size == 0 ? std::string() : std::string(bytes, size)};
    }
    default:
      return nullptr;
  }
}

Result<Database> Database::open_with(const std::string& path, int flags) {
  sqlite3* connection = nullptr;
  const int code = sqlite3_open_v2(path.c_str(), &connection, flags | SQLITE_OPEN_EXRESCODE, nullptr);
  Database database(path, connection);
  if (code != SQLITE_OK) return sql_error(connection, "cannot open " + path);
  sqlite3_busy_timeout(connection, kBusyMilliseconds);
  AUDITSHIFT_TRY_VOID(database.protect());
  return database;
}

/// Against a database that somebody prepared to attack who opens it (sqlite.org, "Defense Against The Dark
/// Arts").
Result<void> Database::protect() {
  sqlite3_db_config(connection_.get(), SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  sqlite3_db_config(connection_.get(), SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
  sqlite3_db_config(connection_.get(), SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0, nullptr);
  sqlite3_db_config(connection_.get(), SQLITE_DBCONFIG_DQS_DML, 0, nullptr);
  sqlite3_db_config(connection_.get(), SQLITE_DBCONFIG_DQS_DDL, 0, nullptr);
  return {};
}

Result<Database> Database::open(const std::string& path) {
  {
    // SQLite would create it readable by everybody; the findings of a fleet are not for everybody. Closed
    // again before SQLite opens it: closing a descriptor drops all locks that this process has on the file.
    const base::Fd file(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (file.get() < 0) return Error::from_errno(errno, "cannot open " + path);
    struct stat info {};
    if (::fstat(file.get(), &info) != 0 || !S_ISREG(info.st_mode))
      return Error(Errc::invalid, "cannot open " + path + ": not a regular file");
  }
  AUDITSHIFT_TRY(database, open_with(path, SQLITE_OPEN_READWRITE));
  AUDITSHIFT_TRY_VOID(database.run("PRAGMA foreign_keys = ON"));
  return std::move(database);
}

Result<Database> Database::open_read_only(const std::string& path) {
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) return Error::from_errno(errno, "cannot open " + path);
  AUDITSHIFT_TRY(database, open_with(path, SQLITE_OPEN_READONLY));
  AUDITSHIFT_TRY_VOID(database.run("PRAGMA query_only = ON"));
  sqlite3_limit(database.connection_.get(), SQLITE_LIMIT_ATTACHED, 0);
  sqlite3_set_authorizer(database.connection_.get(), allow_reading, nullptr);
  return std::move(database);
}

Result<void> Database::run(const std::string& sql) {
  if (sqlite3_exec(connection_.get(), sql.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK)
    return sql_error(connection_.get(), path_);
  return {};
}

Result<Statement> Database::prepare(std::string_view sql) {
  sqlite3_stmt* statement = nullptr;
  const char* rest = nullptr;
  const int code =
      sqlite3_prepare_v2(connection_.get(), sql.data(), static_cast<int>(sql.size()), &statement, &rest);
  Statement prepared(connection_.get(), statement);
  if (code != SQLITE_OK) return sql_error(connection_.get(), path_);
  if (statement == nullptr) return Error(Errc::invalid, path_ + ": no statement");
  const auto left = static_cast<std::size_t>(sql.data() + sql.size() - rest);
  if (base::trim(std::string_view(rest, left)).find_first_not_of("; \t\r\n") != std::string_view::npos)
    return Error(Errc::invalid, path_ + ": one statement at a time");
  return prepared;
}

Result<std::int64_t> Database::number(std::string_view sql) {
  AUDITSHIFT_TRY(statement, prepare(sql));
  AUDITSHIFT_TRY(row, statement.next());
  if (!row) return Error(Errc::invalid, path_ + ": no answer");
  const SqlValue value = statement.value(0);
  const auto* number = std::get_if<std::int64_t>(&value);
  return number == nullptr ? 0 : *number;
}

std::int64_t Database::last_row() const { return sqlite3_last_insert_rowid(connection_.get()); }

Result<Transaction> Transaction::begin(Database& database) {
  AUDITSHIFT_TRY_VOID(database.run("BEGIN IMMEDIATE"));
  return Transaction(database);
}

Transaction::~Transaction() {
  if (database_ != nullptr) (void)database_->run("ROLLBACK");
}

Result<void> Transaction::commit() {
  AUDITSHIFT_TRY_VOID(database_->run("COMMIT"));
  database_ = nullptr;
  return {};
}

}  // namespace auditshift::migrate::fleet
