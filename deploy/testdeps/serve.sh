# Serves a new, empty PostgreSQL on 127.0.0.1 until its standard input ends,
# then leaves nothing behind. The other end of the input is held by the process
# that asked, so the server ends with it, however that ends.
# usage: serve.sh BIN DIR PORT...
# Prints the first of the ports it could listen on; what went wrong, if none.
bin=$1 dir=$2
shift 2
pid=

end() {
	if [ -n "$pid" ]; then
		kill -QUIT "$pid" 2> /dev/null
		wait "$pid"
	fi
	cd / && rm -rf "$dir"
}
trap end EXIT
trap 'exit 1' HUP INT TERM
trap '' PIPE # whoever asked can be gone before the answer
exec 2> "$dir/log"

if "$bin/initdb" -D "$dir/data" -U postgres -A trust -E UTF8 --locale=C.UTF-8 \
	--no-sync --no-instructions < /dev/null >&2; then
	for port in "$@"; do
		"$bin/postgres" -D "$dir/data" -c port="$port" \
			-c listen_addresses=127.0.0.1 -c unix_socket_directories= \
			-c timezone=UTC -c log_timezone=UTC -c fsync=off -c autovacuum=off \
			-c shared_buffers=32MB -c dynamic_shared_memory_type=mmap \
			-c max_wal_senders=0 -c wal_level=minimal \
			-c max_logical_replication_workers=0 < /dev/null >&2 &
		pid=$!
		while kill -0 "$pid" 2> /dev/null; do
			# Its own lock file says that this server is ready, and not
			# another one that took the port first.
			if grep -qs '^ready' "$dir/data/postmaster.pid"; then
				echo "$port"
				exec > /dev/null
				read -r _
				exit 0
			fi
			sleep 0.02
		done
		pid=
	done
fi
cat "$dir/log"
exit 1
