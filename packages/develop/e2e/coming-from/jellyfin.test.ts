// Jellyfin, by the configuration of its guide, beside nginx and Caddy.

import { testTranslation } from "./translation.ts";

const lines = [
  "GET /",
  "GET /web/",
  "GET /socket?api_key=1 upgrade",
  "GET /Videos/1/stream.mkv range=bytes%3D0-9",
  "POST /Sessions/Playing content-length=200",
  "GET /none?status=404",
];

testTranslation({
  page: "jellyfin.md",
  host: "media.example",
  places: { "127.0.0.1:8096": "app jellyfin" },
  told: ["host", "range", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto"],
  explained: [
    ["GET /", "webapp.media/rule.root 302"],
    ["GET /web/", "webapp.media/rule/httpProxy"],
    ["GET /socket?api_key=1 upgrade", "webapp.media/rule/httpProxy"],
    ["GET /Videos/1/stream.mkv", "webapp.media/rule/httpProxy"],
    ["POST /Sessions/Playing", "webapp.media/rule/httpProxy"],
  ],
  compared: [
    {
      http: 'map $http_upgrade $connection_upgrade { default upgrade; "" close; }',
      nginx: `client_max_body_size 20M; add_header X-Content-Type-Options "nosniff";
        proxy_http_version 1.1; proxy_buffering off;
        proxy_set_header Host $host; proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
        proxy_set_header X-Forwarded-Proto $scheme; proxy_set_header X-Forwarded-Host $http_host;
        proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection $connection_upgrade;
        location = / { return 302 http://$host/web/; }
        location / { proxy_pass http://127.0.0.1:8096; }`,
      lines,
    },
    {
      caddy: `header X-Content-Type-Options nosniff
        redir / /web/ 302
        reverse_proxy 127.0.0.1:8096`,
      lines,
      fields: ["x-content-type-options"],
    },
  ],
});
