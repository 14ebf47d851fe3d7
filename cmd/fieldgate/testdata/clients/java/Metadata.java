import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.sql.Connection;
import java.sql.DatabaseMetaData;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.ResultSetMetaData;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;

/**
 * Calls every method of DatabaseMetaData and prints what it returns, a line a
 * value or row. Usage: Metadata URL USER PASSWORD TABLE...
 */
public final class Metadata {
    private static final List<String> TYPES = List.of("TABLE", "VIEW", "SYSTEM TABLE", "SYSTEM VIEW");

    private Metadata() {
    }

    public static void main(String[] args) throws Exception {
        try (Connection c = DriverManager.getConnection(args[0], args[1], args[2])) {
            DatabaseMetaData m = c.getMetaData();
            List<Method> methods = new ArrayList<>(Arrays.asList(DatabaseMetaData.class.getDeclaredMethods()));
            methods.removeIf(method -> java.lang.reflect.Modifier.isStatic(method.getModifiers()));
            methods.sort(Comparator.comparing(Method::getName).thenComparing(Method::toString));
            List<String> tables = Arrays.asList(args).subList(3, args.length);
            for (Method method : methods) {
                if (method.getParameterCount() == 0) {
                    print(m, method);
                    continue;
                }
                if (takesNoName(method)) {
                    print(m, method, arguments(m, method, null));
                    continue;
                }
                for (String table : tables) {
                    print(m, method, arguments(m, method, table));
                }
            }
        }
    }

    private static boolean takesNoName(Method method) {
        switch (method.getName()) {
            case "getTables": case "getColumns": case "getPrimaryKeys": case "getImportedKeys": case "getExportedKeys":
            case "getCrossReference": case "getIndexInfo": case "getBestRowIdentifier": case "getVersionColumns":
            case "getColumnPrivileges": case "getTablePrivileges": case "getPseudoColumns": case "getSuperTables":
                return false;
            default:
                return true;
        }
    }

    /** Arguments that ask for the table, or for all that there is of what bears other names. */
    private static Object[] arguments(DatabaseMetaData m, Method method, String table) throws SQLException {
        boolean pattern = List.of("getTables", "getColumns", "getTablePrivileges", "getPseudoColumns", "getSuperTables").contains(method.getName());
        String name = table == null || !pattern ? table : table.replace("_", m.getSearchStringEscape() + "_");
        switch (method.getName()) {
            case "getTables":
                return new Object[] {null, "public", name, TYPES.toArray(new String[0])};
            case "getBestRowIdentifier":
                return new Object[] {null, "public", name, DatabaseMetaData.bestRowSession, true};
            case "getIndexInfo":
                return new Object[] {null, "public", name, false, true};
            case "getColumnPrivileges":
                return new Object[] {null, "public", name, "%"};
            case "getCrossReference":
                return new Object[] {null, "public", name, null, "public", name};
            case "getProcedures": case "getFunctions":
                return new Object[] {null, "pg_catalog", "to\\_char"};
            case "getProcedureColumns": case "getFunctionColumns":
                return new Object[] {null, "pg_catalog", "date\\_part", "%"};
            case "getUDTs":
                return new Object[] {null, "public", "%", null};
            case "getSchemas":
                return new Object[] {null, "%"};
            default:
        }
        Class<?>[] types = method.getParameterTypes();
        Object[] out = new Object[types.length];
        for (int i = 0; i < types.length; i++) {
            if (types[i] == int.class) {
                out[i] = i == 0 ? 1 : 1003;
            } else if (types[i] == boolean.class) {
                out[i] = false;
            } else if (types[i] == String.class && i == 1) {
                out[i] = "public";
            } else if (types[i] == String.class && i == 2) {
                out[i] = name;
            } else if (types[i] == String.class && i > 2) {
                out[i] = "%";
            } else if (types[i] == Class.class) {
                out[i] = Connection.class;
            }
        }
        return out;
    }

    private static void print(DatabaseMetaData m, Method method, Object... args) throws Exception {
        String call = method.getName() + Arrays.deepToString(args);
        Object result;
        try {
            result = method.invoke(m, args);
        } catch (InvocationTargetException e) {
            Throwable cause = e.getCause();
            String state = cause instanceof SQLException ? ((SQLException) cause).getSQLState() : "";
            System.out.println(call + " threw " + state + " " + cause.getMessage());
            return;
        }
        if (!(result instanceof ResultSet)) {
            System.out.println(call + " = " + result);
            return;
        }
        try (ResultSet r = (ResultSet) result) {
            rows(call, r);
        }
    }

    private static void rows(String call, ResultSet r) throws SQLException {
        ResultSetMetaData columns = r.getMetaData();
        StringBuilder head = new StringBuilder(call).append(" :");
        for (int i = 1; i <= columns.getColumnCount(); i++) {
            head.append(' ').append(columns.getColumnLabel(i)).append('/').append(columns.getColumnTypeName(i));
        }
        System.out.println(head);
        List<String> lines = new ArrayList<>();
        while (r.next()) {
            StringBuilder line = new StringBuilder(call).append(" >");
            for (int i = 1; i <= columns.getColumnCount(); i++) {
                line.append(" | ").append(r.getString(i));
            }
            lines.add(line.toString());
        }
        Collections.sort(lines);
        lines.forEach(System.out::println);
    }
}
