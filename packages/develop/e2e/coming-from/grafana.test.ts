// Grafana under a path, by the configuration of its guide, beside nginx and Caddy.

import { testTranslation } from "./translation.ts";

const lines = [
  "GET /grafana",
  "GET /grafana/d/1?orgId=1",
  "POST /grafana/api/ds/query content-length=20000",
  "GET /grafana/api/live/ws upgrade",
  "GET /grafana/api/none?status=404",
  "GET /style.css",
  "GET /none",
];

testTranslation({
  page: "grafana.md",
  host: "site.example",
  places: { "127.0.0.1:3000": "app grafana", "/var/www/site": "files" },
  files: { "style.css": "css", "docs/index.html": "docs" },
  told: ["host", "x-forwarded-for", "x-forwarded-proto"],
  explained: [
    ["GET /grafana", "webapp.site/rule.bare 301"],
    ["GET /grafana/d/1", "webapp.site/rule.grafana/httpProxy"],
    ["GET /grafana/api/live/ws upgrade", "webapp.site/rule.grafana/httpProxy"],
    ["GET /docs/", "webapp.site/rule.files/static"],
    ["GET /grafanas", "webapp.site/rule.files/static 404"],
  ],
  compared: [
    {
      http: 'map $http_upgrade $connection_upgrade { default upgrade; "" close; }',
      nginx: `root /var/www/site;
        location /grafana/ {
          proxy_pass http://127.0.0.1:3000/; proxy_http_version 1.1;
          proxy_set_header Host $host;
          proxy_set_header X-Forwarded-For $remote_addr; proxy_set_header X-Forwarded-Proto $scheme;
          proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection $connection_upgrade;
        }
        location / { try_files $uri $uri/ =404; }`,
      lines,
    },
    {
      caddy: `redir /grafana /grafana/ 301
        handle_path /grafana/* {
          reverse_proxy 127.0.0.1:3000
        }
        handle {
          root * /var/www/site
          file_server
        }`,
      lines,
    },
  ],
});
