# One image for web, worker, beat and migrate; docker-compose.yml says which command each of them runs.
FROM python:3.13-slim AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
RUN python -m venv /venv
# requirements-saml.lock where the identity provider speaks SAML: it has two C libraries more.
ARG REQUIREMENTS=requirements.lock
COPY requirements.lock requirements-saml.lock /tmp/
RUN /venv/bin/pip install --require-hashes -r "/tmp/${REQUIREMENTS}"

WORKDIR /app
COPY manage.py ./
COPY samsaas samsaas
COPY profiles profiles
COPY subscriptions subscriptions
COPY reclamation reclamation
COPY templates templates
COPY docs docs
# The key exists for this one command and is in no layer: nothing here is signed or encrypted with it.
RUN SAMSAAS_ENV_FILE=/dev/null SECRET_KEY="$(python -c 'import secrets; print(secrets.token_urlsafe(50))')" \
    /venv/bin/python manage.py collectstatic --noinput --verbosity 0 \
    && /venv/bin/python -m compileall -q samsaas profiles subscriptions reclamation

FROM python:3.13-slim
ENV PATH=/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    SAMSAAS_ENV_FILE=/dev/null \
    WEB_BIND=0.0.0.0:8000
WORKDIR /app
COPY --from=build /venv /venv
COPY --from=build /app /app
USER 10001:10001
EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s --retries=3 \
    CMD ["python", "-P", "samsaas/healthcheck.py", "web"]
CMD ["gunicorn", "--config", "samsaas/gunicorn_conf.py"]
