// Rails on Puma, by the configuration of its guide, beside nginx: in service, and while it is maintained.

import { describe } from "vitest";
import { testTranslation } from "./translation.ts";

const app = {
  page: "rails.md",
  host: "app.example",
  places: { "127.0.0.1:9292": "app puma", "/srv/app/public": "files" },
  files: {
    "about.html": "about",
    "docs/index.html": "docs",
    "style.css": "css",
    "500.html": "<p>sorry</p>",
  },
  told: ["host", "x-forwarded-for"],
} as const;

const nginx = `root /srv/app/public; keepalive_timeout 5; error_page 502 504 /500.html;
  error_page 503 @maintenance;
  location @maintenance { rewrite ^(.*)$ /system/maintenance.html break; }
  if (-f $document_root/system/maintenance.html) { return 503; }
  location / {
    proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for; proxy_set_header Host $http_host;
    if (-f $request_filename) { break; }
    if (-f $request_filename/index.html) { rewrite (.*) $1/index.html break; }
    if (-f $request_filename.html) { rewrite (.*) $1.html break; }
    if (!-f $request_filename) { proxy_pass http://127.0.0.1:9292; break; }
  }
  location ~* \\.(ico|css|gif|jpe?g|png|js)(\\?[0-9]+)?$ { expires max; break; }`;

describe("in service", () => {
  testTranslation({
    ...app,
    explained: [
      ["GET /", "webapp.app/rule.files, then Puma/httpProxy"],
      ["GET /about", "webapp.app/rule.files, then Puma/static"],
      ["GET /style.css?1", "webapp.app/rule.assets/static"],
      ["GET /none.css", "webapp.app/rule.assets/static 404"],
      ["POST /about", "webapp.app/rule.files, then Puma/static 405"],
    ],
    compared: [
      {
        nginx,
        lines: [
          "GET /",
          "GET /about",
          "GET /docs/",
          "GET /style.css?1",
          "GET /none.css",
          "GET /orders/7?a=b",
          "POST /orders content-length=1000",
          "POST /about content-length=10",
          "GET /none?status=404",
        ],
      },
    ],
  });
});

describe("maintained", () => {
  testTranslation({
    ...app,
    files: { ...app.files, "system/maintenance.html": "<p>back soon</p>" },
    explained: [
      ["GET /", "webapp.app/rule.maintenance 503"],
      ["GET /about", "webapp.app/rule.maintenance 503"],
      ["GET /style.css", "webapp.app/rule.maintenance 503"],
      ["POST /orders", "webapp.app/rule.maintenance 503"],
      ["GET /cable upgrade", "webapp.app/rule.maintenance 503"],
    ],
    compared: [{ nginx, lines: ["GET /", "GET /about", "GET /style.css", "GET /orders/7"] }],
  });
});
