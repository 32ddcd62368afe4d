// Mastodon, by the configuration of its guide, beside nginx.

import { testTranslation } from "./translation.ts";

testTranslation({
  page: "mastodon.md",
  host: "social.example",
  places: {
    "127.0.0.1:3000": "app puma",
    "127.0.0.1:4000": "app streaming",
    "/home/mastodon/live/public": "files",
  },
  files: {
    "packs/app.js": "js",
    "system/media/a.png": "png",
    "robots.txt": "robots",
    "500.html": "<p>sorry</p>",
  },
  told: ["host", "x-real-ip", "x-forwarded-for", "x-forwarded-proto"],
  explained: [
    ["GET /packs/app.js", "webapp.social/rule.built/static"],
    ["GET /packs/none.js", "webapp.social/rule.built/static 404"],
    ["GET /api/v1/streaming?stream=user upgrade", "webapp.social/rule.streaming/httpProxy"],
    ["GET /api/v1/streaming/health", "webapp.social/rule.streaming/httpProxy"],
    ["GET /@ann", "webapp.social/rule.files, then the app/httpProxy"],
  ],
  compared: [
    {
      http: 'map $http_upgrade $connection_upgrade { default upgrade; "" close; }',
      nginx: `root /home/mastodon/live/public; client_max_body_size 99m;
        error_page 404 500 501 502 503 504 /500.html;
        add_header Strict-Transport-Security "max-age=63072000; includeSubDomains" always;
        proxy_set_header Host $host; proxy_set_header X-Real-IP $remote_addr;
        proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for; proxy_set_header X-Forwarded-Proto $scheme;
        proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection $connection_upgrade;
        location / { try_files $uri @proxy; }
        location ^~ /packs/ { try_files $uri =404; }
        location ^~ /system/ {
          add_header Strict-Transport-Security "max-age=63072000; includeSubDomains" always;
          add_header X-Content-Type-Options nosniff always;
          add_header Content-Security-Policy "default-src 'none'; form-action 'none'" always;
          try_files $uri =404;
        }
        location ^~ /api/v1/streaming { proxy_buffering off; proxy_pass http://127.0.0.1:4000; }
        location @proxy { proxy_pass http://127.0.0.1:3000; }`,
      lines: [
        "GET /",
        "GET /@ann?a=b",
        "POST /api/v2/media content-length=2000000",
        "GET /packs/app.js",
        "GET /packs/none.js",
        "GET /system/media/a.png",
        "GET /robots.txt",
        "GET /api/v1/streaming/?stream=user upgrade",
        "GET /api/v1/streaming/health",
        "GET /@none?status=404",
      ],
      fields: ["strict-transport-security", "content-security-policy", "x-content-type-options"],
    },
  ],
});
