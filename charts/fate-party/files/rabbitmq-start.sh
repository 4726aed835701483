set -eu
# The entrypoint writes both, as they are, into rabbitmq.conf, where # begins a comment and $( a variable, and blanks around are lost.
for given in "$RABBITMQ_DEFAULT_USER" "$RABBITMQ_DEFAULT_PASS"; do
    case $given in
        '' | -* | *[!A-Za-z0-9._~@%^*+=:,/?-]*)
            echo "the user or the password has a character that RabbitMQ's configuration cannot hold; use letters, digits and ._~@%^*+=:,/?-" >&2
            exit 1
            ;;
    esac
done
exec docker-entrypoint.sh rabbitmq-server
