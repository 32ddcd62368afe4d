// Discourse, by the configuration of its guide, beside nginx.

import { testTranslation } from "./translation.ts";

testTranslation({
  page: "discourse.md",
  host: "forum.example",
  places: { "127.0.0.1:3000": "app discourse", "/var/www/discourse/public": "files" },
  files: {
    "assets/app.js": "js",
    "assets/a.woff2": "font",
    "javascripts/embed.js": "embed",
    "uploads/default/a.png": "png",
    "backups/default/a.tar.gz": "all of it",
  },
  told: ["host", "x-forwarded-for", "x-forwarded-proto", "x-sendfile-type", "client-ip"],
  explained: [
    ["GET /t/welcome/1", "webapp.forum/rule.files, then Discourse/httpProxy"],
    ["GET /assets/app.js", "webapp.forum/rule.assets/static"],
    ["GET /assets/none.js", "webapp.forum/rule.assets/static 404"],
    ["GET /backups/default/a.tar.gz", "webapp.forum/rule.only what Discourse permits 404"],
    ["POST /message-bus/1/poll", "webapp.forum/rule.files, then Discourse/httpProxy"],
  ],
  compared: [
    {
      nginx: `root /var/www/discourse/public; client_max_body_size 10m; proxy_http_version 1.1;
        proxy_set_header Host $http_host; proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
        proxy_set_header X-Forwarded-Proto $scheme; proxy_set_header X-Sendfile-Type X-Accel-Redirect;
        proxy_set_header X-Accel-Mapping /var/www/discourse/public/=/downloads/; proxy_set_header Client-Ip "";
        location ^~ /backups/ { internal; }
        location /downloads/ { internal; alias /var/www/discourse/public/; }
        location / {
          location ~* (fonts|assets|plugins|uploads)/.*\\.(eot|ttf|woff|woff2|ico|otf)$ {
            expires 1y; add_header Access-Control-Allow-Origin *;
          }
          location ~ ^/javascripts/ { expires 1d; }
          location ~ ^/assets/ { expires 1y; gzip_static on; }
          location /message-bus/ { proxy_buffering off; proxy_pass http://127.0.0.1:3000; }
          try_files $uri @discourse;
        }
        location = /srv/status {
          access_log off; proxy_set_header Host $http_host; proxy_set_header X-Forwarded-Proto $scheme;
          proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for; proxy_pass http://127.0.0.1:3000;
        }
        location @discourse { proxy_pass http://127.0.0.1:3000; }`,
      lines: [
        "GET /",
        "GET /t/welcome/1?page=2",
        "POST /uploads.json content-length=2000000",
        "POST /uploads.json content-length=11000000",
        "GET /assets/app.js",
        "GET /assets/none.js",
        "GET /assets/a.woff2",
        "GET /javascripts/embed.js",
        "GET /uploads/default/a.png",
        "GET /backups/default/a.tar.gz",
        "GET /downloads/backups/default/a.tar.gz",
        "GET /admin/backups/a.tar.gz?accel=/downloads/backups/default/a.tar.gz",
        "POST /message-bus/1/poll content-length=20",
        "GET /srv/status",
        "GET /t/x client-ip=1.2.3.4",
      ],
      fields: ["access-control-allow-origin"],
    },
  ],
});
