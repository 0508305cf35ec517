// A certificate for 127.0.0.1 and localhost that signs itself, good until 2126, and its key. They protect nothing: they are
// published with this file.

export const tls = {
  key: `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgbGzvJqMk33DElP9x
puhmxleNasCumx5haLLtBg1f1AGhRANCAARagg6HPQ2bkVAlpUKVJcEbJA3tfdC5
l79iwiqR5zSEx3Hs/rp8/wWzScMAZyWn4qvOYpmZHglUo7htXKg/jAo+
-----END PRIVATE KEY-----`,
  cert: `-----BEGIN CERTIFICATE-----
MIIBmzCCAUGgAwIBAgIUBN31U4cXYPvjpTb9Kglqs55u3UgwCgYIKoZIzj0EAwIw
FDESMBAGA1UEAwwJbG9jYWxob3N0MCAXDTI2MTEyMTA2MDQ0M1oYDzIxMjYxMDI4
MDYwNDQzWjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjO
PQMBBwNCAARagg6HPQ2bkVAlpUKVJcEbJA3tfdC5l79iwiqR5zSEx3Hs/rp8/wWz
ScMAZyWn4qvOYpmZHglUo7htXKg/jAo+o28wbTAdBgNVHQ4EFgQUP9OK+OncJGaV
F7PoLmmUrTKhLjUwHwYDVR0jBBgwFoAUP9OK+OncJGaVF7PoLmmUrTKhLjUwDwYD
VR0TAQH/BAUwAwEB/zAaBgNVHREEEzARhwR/AAABgglsb2NhbGhvc3QwCgYIKoZI
zj0EAwIDSAAwRQIgHNfSJQ5vo8bOaTM6a2YRTeRCni53kVvBAzZCu84DXDcCIQCm
5yJdgRE9jedsvAg7xebz3IQBoUjmcmh4m/02z6yLjA==
-----END CERTIFICATE-----`,
} as const;
