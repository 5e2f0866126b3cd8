// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "base/result.h"

struct sqlite3;
struct sqlite3_stmt;

namespace auditshift::migrate::fleet {

/// One value of a row: NULL, INTEGER, REAL, TEXT or BLOB.
struct Blob {
  std::string bytes;
};
using SqlValue = std::variant<std::nullptr_t, std::int64_t, double, std::string, Blob>;

/// A prepared statement. REQUIRES: its Database outlives it.
class Statement {
 public:
  /// Binds these values to ?1, ?2, … and runs to the end; for statements that give no rows.
  base::Result<void> run(std::initializer_list<SqlValue> values);
  /// Starts anew with these values; rows come from next().
  base::Result<void> start(std::initializer_list<SqlValue> values);
  /// The next row, or false when there is none.
  base::Result<bool> next();

  int columns() const;
  std::string column_name(int column) const;
  SqlValue value(int column) const;  ///< of the current row

 private:
  friend class Database;
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const;
  };
  Statement(sqlite3* connection, sqlite3_stmt* statement) : connection_(connection), statement_(statement) {}

  sqlite3* connection_;
  std::unique_ptr<sqlite3_stmt, Finalize> statement_;
};

/// A connection to an SQLite file. One thread at a time.
class Database {
 public:
  /// Opens for reading and writing. A file that is not there is created with mode 0600.
  static base::Result<Database> open(const std::string& path);
  /// Opens what is there so that no statement can change it or reach another file.
  static base::Result<Database> open_read_only(const std::string& path);

  /// Runs statements that give no rows.
  base::Result<void> run(const std::string& sql);
  /// One statement; more than one is an error.
  base::Result<Statement> prepare(std::string_view sql);
  /// The number that a statement like "PRAGMA user_version" gives.
  base::Result<std::int64_t> number(std::string_view sql);
  std::int64_t last_row() const;  ///< rowid of the last INSERT

  const std::string& path() const { return path_; }

 private:
  struct Close {
    void operator()(sqlite3* connection) const;
  };
  Database(std::string path, sqlite3* connection) : path_(std::move(path)), connection_(connection) {}
  static base::Result<Database> open_with(const std::string& path, int flags);
  base::Result<void> protect();

  std::string path_;
  std::unique_ptr<sqlite3, Close> connection_;
};

/// What stands between BEGIN and COMMIT is there as a whole or not at all: without commit() it is undone.
class Transaction {
 public:
  static base::Result<Transaction> begin(Database& database);
  Transaction(Transaction&& other) noexcept : database_(std::exchange(other.database_, nullptr)) {}
  Transaction& operator=(Transaction&&) = delete;
  ~Transaction();
  base::Result<void> commit();

 private:
  explicit Transaction(Database& database) : database_(&database) {}
  Database* database_;
};

}  // namespace auditshift::migrate::fleet
