"""Single sign-on by SAML 2.0, for companies whose identity provider speaks no OpenID Connect.

`toolkit` is the only module that needs the extra `saml`. It is imported on the first use, so an installation without
such a provider carries no XML libraries.
"""
