// Sentry, by the configuration of its guide, beside nginx.

import { testTranslation } from "./translation.ts";

testTranslation({
  page: "sentry.md",
  host: "errors.example",
  places: { "127.0.0.1:3100": "app relay", "127.0.0.1:9000": "app web", "/var/www": "files" },
  files: { "js-sdk/8.0.0/bundle.min.js": "sdk" },
  told: ["host", "x-forwarded-for", "x-forwarded-proto"],
  explained: [
    ["POST /api/42/envelope/", "webapp.errors/rule.sent by SDKs/httpProxy"],
    ["POST /api/store/", "webapp.errors/rule.sent by SDKs/httpProxy"],
    ["GET /api/0/projects/", "webapp.errors/rule.application/httpProxy"],
    ["GET /js-sdk/8.0.0/bundle.min.js", "webapp.errors/rule.SDK for browsers/static"],
    ["GET /_assets/app.js", "webapp.errors/rule.assets/httpProxy"],
  ],
  compared: [
    {
      nginx: `client_max_body_size 100m; proxy_http_version 1.1;
        proxy_set_header Host $host; proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
        proxy_set_header X-Forwarded-Proto $scheme;
        proxy_next_upstream error timeout invalid_header http_502 http_503 non_idempotent;
        location /api/store/ { proxy_pass http://127.0.0.1:3100; }
        location ~ ^/api/[1-9]\\d*/ { proxy_pass http://127.0.0.1:3100; }
        location ^~ /api/0/relays/ { proxy_pass http://127.0.0.1:3100; }
        location ^~ /js-sdk/ { root /var/www; add_header Access-Control-Allow-Origin * always; }
        location / { proxy_pass http://127.0.0.1:9000; }
        location /_assets/ { proxy_pass http://127.0.0.1:9000; proxy_hide_header Content-Disposition; }`,
      lines: [
        "GET /",
        "POST /api/42/envelope/?sentry_key=a content-length=2000000",
        "POST /api/store/ content-length=100",
        "GET /api/0/projects/",
        "POST /api/0/relays/register/challenge/ content-length=100",
        "GET /api/4x/",
        "GET /_assets/app.js",
        "GET /js-sdk/8.0.0/bundle.min.js",
        "GET /js-sdk/none.js",
        "GET /none?status=404",
      ],
      fields: ["access-control-allow-origin"],
    },
  ],
});
