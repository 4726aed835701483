#!/bin/bash
# Stands for the entry point of RabbitMQ's image: writes rabbitmq.conf from the same variables.
set -eu

[ "${1:-}" = rabbitmq-server ] || exec "$@"
echo "test image (Debian's RabbitMQ stands for the release's)"
umask 077
{
    echo "loopback_users = none"
    echo "listeners.tcp.default = 5672"
    echo "management.tcp.port = 15672"
    echo "default_user = ${RABBITMQ_DEFAULT_USER:-guest}"
    echo "default_pass = ${RABBITMQ_DEFAULT_PASS:-guest}"
    if [ -n "${RABBITMQ_VM_MEMORY_HIGH_WATERMARK:-}" ]; then
        echo "vm_memory_high_watermark.absolute = $RABBITMQ_VM_MEMORY_HIGH_WATERMARK"
    fi
} > /etc/rabbitmq/rabbitmq.conf
# Debian's own command changes to another user, which only root may.
exec /usr/lib/rabbitmq/bin/rabbitmq-server
