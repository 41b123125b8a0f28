#!/bin/sh
# Make the secrets of docker-compose.yml, each in a file of its own. What exists already is left as it is.
#
# A container reads its files as another user, so they are readable by all; the folder is open to its owner only.
set -eu
folder=${1:-"$(dirname "$0")/../secrets"}
mkdir -p "$folder"
chmod 700 "$folder"
cd "$folder"

random() { head -c "$1" /dev/urandom | base64 | tr -d '\n' | tr '+/' '-_'; }
hexadecimal() { head -c 24 /dev/urandom | od -An -tx1 | tr -d ' \n'; }

keep() {
  if [ -s "$1" ]; then
    echo "kept     $1"
    return
  fi
  printf '%s\n' "$2" > "$1"
  chmod 444 "$1"
  echo "written  $1"
}

keep secret_key "$(random 48)"
keep field_encryption_keys "$(random 32)"
keep audit_signing_key "$(random 32)"
keep metrics_token "$(hexadecimal)"
keep postgres_password "$(hexadecimal)"
keep database_password "$(hexadecimal)"
keep database_url "postgres://samsaas:$(cat database_password)@postgres:5432/samsaas"
keep redis_password "$(hexadecimal)"
keep broker_url "redis://:$(cat redis_password)@redis:6379/0"

# Empty: mails are only kept, and there is no single sign-on. What you write into them is kept.
for name in email_url oidc_client_secret saml_signing_key; do
  if [ -e "$name" ]; then
    echo "kept     $name"
  else
    : > "$name"
    chmod 444 "$name"
    echo "written  $name (empty)"
  fi
done
