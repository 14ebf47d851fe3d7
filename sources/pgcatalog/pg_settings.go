package pgcatalog

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/fieldgate/fieldgate/schema/postgres"
)

// concealed are the settings that PostgreSQL shows to superusers alone, of whom there
// are none, or that it does not list.
var concealed = map[string]bool{
	"config_file": true, "data_directory": true, "dynamic_library_path": true, "extension_destdir": true, "external_pid_file": true,
	"hba_file": true, "ident_file": true, "is_superuser": true, "jit_provider": true, "krb_server_keyfile": true, "log_directory": true,
	"log_filename": true, "primary_conninfo": true, "role": true, "session_authorization": true, "session_preload_libraries": true,
	"shared_preload_libraries": true, "ssl_ciphers": true, "ssl_dh_params_file": true, "ssl_ecdh_curve": true,
	"ssl_max_protocol_version": true, "ssl_min_protocol_version": true, "ssl_passphrase_command": true, "unix_socket_directories": true,
}

// settingRows lists the session's settings.
func settingRows(_ context.Context, p *pin, b *builder) error {
	settings, known := p.view.Settings(), postgres.Settings()
	for _, name := range slices.Sorted(maps.Keys(settings)) {
		if concealed[name] {
			continue
		}
		value := settings[name]
		s := postgres.Setting{Value: value, Type: "string", Context: "user", Category: "Customized Options"}
		if i, ok := slices.BinarySearchFunc(known, name, func(s postgres.Setting, name string) int { return strings.Compare(s.Name, name) }); ok {
			s = known[i]
		}
		words := any(s.Words)
		if s.Words == nil {
			words = nil
		}
		b.add("name", name, "setting", value, "unit", orNull(s.Unit), "category", s.Category, "short_desc", s.Description,
			"context", s.Context, "vartype", s.Type, "source", settingSource(&s, value), "min_val", orNull(s.Min), "max_val", orNull(s.Max),
			"enumvals", words, "boot_val", s.Value, "reset_val", value, "pending_restart", false)
	}
	return nil
}

// preset are the values that the server gives settings where PostgreSQL is built
// with others.
var preset = map[string]string{
	"TimeZone": "UTC", "client_encoding": "UTF8", "default_text_search_config": "pg_catalog.english", "jit": "off",
	"lc_collate": "C.UTF-8", "lc_ctype": "C.UTF-8", "lc_messages": "C", "server_encoding": "UTF8", "timezone_abbreviations": "Default",
}

// settingSource is where a setting's value comes from.
func settingSource(s *postgres.Setting, value string) string {
	switch {
	case value == s.Value || value == preset[s.Name] || s.Context == "internal":
		return "default"
	case s.Name == "application_name":
		return "client"
	}
	return "session"
}

// orNull is nil for an empty text.
func orNull(text string) any {
	if text == "" {
		return nil
	}
	return text
}
