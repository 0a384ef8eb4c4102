//! Another implementation: npm's `oidc-provider`, signed in to through its own pages.
