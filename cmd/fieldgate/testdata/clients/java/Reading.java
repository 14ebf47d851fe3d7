import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.ResultSetMetaData;
import java.sql.SQLException;
import java.sql.Statement;
import java.sql.Timestamp;
import java.time.LocalDateTime;
import java.time.OffsetDateTime;
import java.util.TimeZone;

/** Reads as applications do, and prints what it gets. Usage: Reading URL USER PASSWORD */
public final class Reading {
    private Reading() {
    }

    public static void main(String[] args) throws Exception {
        for (String zone : new String[] {"UTC", "America/New_York", "Asia/Kolkata"}) {
            TimeZone.setDefault(TimeZone.getTimeZone(zone));
            try (Connection c = DriverManager.getConnection(args[0], args[1], args[2])) {
                times(c, zone);
            }
        }
        TimeZone.setDefault(TimeZone.getTimeZone("UTC"));
        try (Connection c = DriverManager.getConnection(args[0], args[1], args[2])) {
            table(c);
            fetchSize(c);
            binary(c);
            failures(c);
        }
    }

    /** The same moments in the zone of the virtual machine, as text first and in binary after the fifth run. */
    private static void times(Connection c, String zone) throws SQLException {
        String sql = "select timestamptz '2026-03-08 06:30:00.123456+00', timestamp '2026-03-08 02:30:00', date '2026-11-01', time '01:02:03.5', "
            + "timestamptz '1883-11-18 12:00:00+00', 'infinity'::timestamptz::text, ?::timestamptz";
        try (PreparedStatement s = c.prepareStatement(sql)) {
            for (int run = 0; run < 7; run++) {
                s.setTimestamp(1, Timestamp.from(java.time.Instant.parse("2026-07-01T12:00:00Z")));
                try (ResultSet r = s.executeQuery()) {
                    r.next();
                    System.out.println(zone + " " + run + " " + r.getTimestamp(1) + " " + r.getObject(1, OffsetDateTime.class) + " "
                        + r.getTimestamp(2) + " " + r.getObject(2, LocalDateTime.class) + " " + r.getDate(3) + " " + r.getTime(4) + " "
                        + r.getString(1) + " " + r.getTimestamp(5).getTime() + " " + r.getString(6) + " " + r.getTimestamp(7));
                }
            }
        }
    }

    /** A table with its columns as the driver describes them. */
    private static void table(Connection c) throws SQLException {
        for (String sql : new String[] {"select * from press order by timestamp", "select * from \"Odd Name.x\"",
            "select p.temperature as t, count(*) over () as n from (select * from press) p order by 1"}) {
            try (Statement s = c.createStatement(); ResultSet r = s.executeQuery(sql)) {
                ResultSetMetaData m = r.getMetaData();
                for (int i = 1; i <= m.getColumnCount(); i++) {
                    System.out.println(m.getColumnName(i) + " " + m.getColumnLabel(i) + " " + m.getColumnTypeName(i) + " " + m.getColumnClassName(i) + " "
                        + m.getPrecision(i) + " " + m.getScale(i) + " " + m.getColumnDisplaySize(i) + " " + m.getTableName(i) + " " + m.getSchemaName(i) + " "
                        + m.isNullable(i) + " " + m.isAutoIncrement(i) + " " + m.isSigned(i));
                }
                while (r.next()) {
                    StringBuilder line = new StringBuilder();
                    for (int i = 1; i <= m.getColumnCount(); i++) {
                        line.append(r.getObject(i)).append('/').append(r.getString(i)).append(' ');
                    }
                    System.out.println(line);
                }
            }
        }
    }

    /** Without autocommit a fetch size reads through a portal, a piece at a time. */
    private static void fetchSize(Connection c) throws SQLException {
        c.setAutoCommit(false);
        try (Statement s = c.createStatement(); Statement other = c.createStatement()) {
            s.setFetchSize(7);
            try (ResultSet r = s.executeQuery("select g, g * 2.5 from generate_series(1, 1000) g")) {
                long sum = 0;
                int rows = 0;
                while (r.next()) {
                    sum += r.getInt(1);
                    rows++;
                    if (rows == 10) {
                        try (ResultSet inner = other.executeQuery("select count(*) from press")) {
                            inner.next();
                            System.out.println("meanwhile " + inner.getInt(1));
                        }
                    }
                }
                System.out.println("fetched " + rows + " " + sum);
            }
            c.commit();
        }
        c.setAutoCommit(true);
    }

    /** From the fifth run on results come in binary; they are the same. */
    private static void binary(Connection c) throws SQLException {
        String sql = "select ?::int2, ?::int4, 1234567890123::int8, 1.5::float4, 0.1::float8, 123.4500::numeric, true, 'text', '\\x00ff'::bytea, "
            + "'0f0e0d0c-0b0a-0908-0706-050403020100'::uuid, date '2026-02-28', timestamp '2026-02-28 23:59:59.999999', "
            + "interval '1 year 2 mons 3 days 04:05:06.7', array[1,null,3], array['a','b c'], 'NaN'::float8, '-Infinity'::float8, null::int";
        try (PreparedStatement s = c.prepareStatement(sql)) {
            for (int run = 0; run < 8; run++) {
                s.setInt(1, run);
                s.setInt(2, -run);
                try (ResultSet r = s.executeQuery()) {
                    r.next();
                    StringBuilder line = new StringBuilder("run " + run);
                    for (int i = 1; i <= r.getMetaData().getColumnCount(); i++) {
                        line.append(' ').append(i == 9 ? java.util.Arrays.toString(r.getBytes(i)) : r.getString(i));
                    }
                    System.out.println(line);
                }
            }
        }
    }

    private static void failures(Connection c) throws SQLException {
        c.setAutoCommit(false);
        for (String sql : new String[] {"select * from nowhere", "select nothing from press", "select 1/0", "select 'a'::int"}) {
            try (Statement s = c.createStatement()) {
                s.executeQuery(sql);
            } catch (SQLException e) {
                System.out.println(sql + " " + e.getSQLState() + " " + e.getMessage());
            }
            c.rollback();
        }
        c.setAutoCommit(true);
        System.out.println("valid " + c.isValid(5) + " " + c.getTransactionIsolation() + " " + c.getSchema() + " " + c.getCatalog());
    }
}
