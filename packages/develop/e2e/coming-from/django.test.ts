// Django on gunicorn, by the configuration of its guide, beside nginx.

import { testTranslation } from "./translation.ts";

testTranslation({
  page: "django.md",
  host: "www.site.example",
  // Nobody listens on port 8001: there is no program for reports.
  places: { "127.0.0.1:8000": "app gunicorn", "/srv/site/public": "files", "/srv/site/collected": "files" },
  files: { "favicon.ico": "icon", "admin/app.css": "css", "500.html": "<p>sorry</p>" },
  told: ["host", "x-forwarded-for", "x-forwarded-proto"],
  explained: [
    ["GET /", "webapp.site/rule.files, then gunicorn/httpProxy"],
    ["GET /favicon.ico", "webapp.site/rule.files, then gunicorn/static"],
    ["GET /static/admin/app.css", "webapp.site/rule.static files/static"],
    ["GET /static/none.css", "webapp.site/rule.static files/static 404"],
    ["POST /admin/login/", "webapp.site/rule.files, then gunicorn/httpProxy"],
  ],
  compared: [
    {
      nginx: `root /srv/site/public; client_max_body_size 4G; proxy_http_version 1.1;
        proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for; proxy_set_header X-Forwarded-Proto $scheme;
        proxy_set_header Host $http_host; proxy_redirect off;
        location /static/ { alias /srv/site/collected/; expires 1h; }
        location /reports/ { proxy_pass http://127.0.0.1:8001; }
        location / { try_files $uri @app; }
        location @app { proxy_pass http://127.0.0.1:8000; }
        error_page 500 502 503 504 /500.html;
        location = /500.html { }`,
      lines: [
        "GET /",
        "GET /orders/7/?a=b",
        "POST /admin/login/ content-length=2000000",
        "GET /favicon.ico",
        "GET /static/admin/app.css",
        "GET /static/none.css",
        "GET /reports/1",
        "GET /broken?status=500",
      ],
    },
  ],
});
