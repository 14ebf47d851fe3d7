// Formats and parses times by patterns of java.time, for TestJavaPatterns. Arguments: a seed, how many texts a pattern,
// then the patterns. A line of output: pattern, text, microseconds since 1970 UTC or - if the text does not match.
import java.time.*;
import java.time.format.*;
import java.time.temporal.*;
import java.util.*;

public class TimePatterns {
    static String parse(DateTimeFormatter f, String text) {
        try {
            TemporalAccessor a = f.parse(text);
            Instant at;
            if (a.isSupported(ChronoField.INSTANT_SECONDS)) {
                at = Instant.from(a);
            } else {
                LocalDate date = a.query(TemporalQueries.localDate());
                LocalTime time = a.query(TemporalQueries.localTime());
                if (date == null) return "-";
                if (time == null) {
                    for (ChronoField c : List.of(ChronoField.HOUR_OF_DAY, ChronoField.MINUTE_OF_HOUR, ChronoField.SECOND_OF_MINUTE,
                            ChronoField.NANO_OF_SECOND, ChronoField.HOUR_OF_AMPM, ChronoField.AMPM_OF_DAY)) {
                        if (a.isSupported(c)) return "-";
                    }
                    time = LocalTime.MIDNIGHT;
                }
                Period more = DateTimeFormatter.parsedExcessDays().queryFrom(a);
                at = date.plus(more).atTime(time).toInstant(ZoneOffset.UTC);
            }
            return Long.toString(Math.addExact(Math.multiplyExact(at.getEpochSecond(), 1000000L), (at.getNano() + 500) / 1000));
        } catch (DateTimeException | ArithmeticException e) {
            return "-";
        }
    }

    static String mutate(Random r, String text) {
        String bytes = "0123456789+-:. TZGMTaPX/";
        int at = r.nextInt(text.length());
        char c = bytes.charAt(r.nextInt(bytes.length()));
        switch (r.nextInt(3)) {
            case 0: return text.substring(0, at) + c + text.substring(at + 1);
            case 1: return text.substring(0, at) + text.substring(at + 1);
            default: return text.substring(0, at) + c + text.substring(at);
        }
    }

    public static void main(String[] args) {
        Random r = new Random(Long.parseLong(args[0]));
        int n = Integer.parseInt(args[1]);
        ZoneId[] zones = {ZoneOffset.UTC, ZoneId.of("Europe/Paris"), ZoneId.of("America/New_York"), ZoneId.of("Asia/Tokyo"), ZoneOffset.ofHoursMinutes(-3, -30)};
        StringBuilder out = new StringBuilder();
        for (int i = 2; i < args.length; i++) {
            DateTimeFormatter f;
            try {
                f = DateTimeFormatter.ofPattern(args[i], Locale.US);
            } catch (IllegalArgumentException e) {
                out.append(args[i]).append("\trefused\n");
                continue;
            }
            for (int k = 0; k < n; k++) {
                ZonedDateTime t = ZonedDateTime.ofInstant(Instant.ofEpochSecond(r.nextLong(-2000000000L, 8000000000L), r.nextInt(1000000) * 1000), zones[r.nextInt(zones.length)]);
                if (k % 11 == 0) t = t.withYear(r.nextInt(-20000, 20000));
                String text;
                try {
                    text = f.format(t);
                } catch (DateTimeException e) {
                    continue;
                }
                if (k % 2 == 1) text = mutate(r, text);
                if (k % 8 == 3) text = mutate(r, text);
                out.append(args[i]).append('\t').append(text).append('\t').append(parse(f, text)).append('\n');
            }
        }
        System.out.print(out);
    }
}
