#!/bin/sh
# Runs once, when the volume is initialized: the application gets a role of its own, which owns its database and is no
# superuser. That is enough for migrate, which creates the trusted extension pg_trgm.
set -eu
APPLICATION_PASSWORD_FILE=${APPLICATION_PASSWORD_FILE:-/run/secrets/database_password}
export APPLICATION_PASSWORD_FILE
psql --no-psqlrc --set ON_ERROR_STOP=1 --username "${POSTGRES_USER:-postgres}" --dbname postgres <<'SQL'
\set password `cat "$APPLICATION_PASSWORD_FILE"`
create role samsaas login nosuperuser nocreatedb nocreaterole noreplication nobypassrls password :'password';
create database samsaas owner samsaas;
revoke all on database samsaas, postgres, template1 from public;
SQL
