set -eu
: "${NOTEBOOK_PASSWORD:?the password of the notebook is empty}"
until pipeline init --ip "$FATE_FLOW_IP" --port "$FATE_FLOW_PORT" && flow init --ip "$FATE_FLOW_IP" --port "$FATE_FLOW_PORT"; do
    echo "waiting for FATE-Flow at $FATE_FLOW_IP:$FATE_FLOW_PORT" >&2
    sleep 5
done
# Jupyter keeps a hash, algorithm:salt:digest; the password itself must not reach the notebook's processes.
hashed=$(python -c '
import hashlib, os, secrets
salt = secrets.token_hex(8)
digest = hashlib.sha256(os.environ["NOTEBOOK_PASSWORD"].encode() + salt.encode()).hexdigest()
print(f"sha256:{salt}:{digest}")')
unset NOTEBOOK_PASSWORD
exec jupyter notebook --ip=0.0.0.0 --port="$NOTEBOOK_PORT" --allow-root --no-browser \
    --NotebookApp.notebook_dir=/data/projects/fate/ --NotebookApp.token= --NotebookApp.password="$hashed"
