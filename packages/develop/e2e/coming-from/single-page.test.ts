// A single-page application, by the configuration of its guide, beside nginx and Caddy.

import { testTranslation } from "./translation.ts";

const lines = [
  "GET /",
  "GET /assets/app.js",
  "GET /assets/none.js",
  "GET /users/7?tab=1",
  "HEAD /users/7",
  "GET /style.css",
  "GET /manual/style.css",
  "GET /manual/install",
  "GET /manual/none",
];

testTranslation({
  page: "single-page.md",
  host: "app.example",
  places: { "/srv/app/dist": "files", "/srv/manual": "files" },
  files: {
    "index.html": "home",
    "assets/app.js": "app",
    "style.css": "css",
    "install.html": "how to install it",
    "404.html": "<p>no such page</p>",
  },
  explained: [
    ["GET /assets/app.js", "webapp.app/rule.built/static"],
    ["GET /assets/none.js", "webapp.app/rule.built/static 404"],
    ["GET /users/7", "webapp.app/rule.pages/static 200"],
    ["GET /manual/install", "webapp.app/rule.manual/static"],
    ["GET /manual/none", "webapp.app/rule.manual/static 404"],
  ],
  compared: [
    {
      nginx: `root /srv/app/dist; error_page 404 /404.html;
        location /assets/ { try_files $uri =404; }
        location /manual/ { alias /srv/manual/; try_files $uri $uri.html =404; }
        location / { try_files $uri $uri/ /index.html; }`,
      lines,
    },
    {
      caddy: `root * /srv/app/dist
        handle /assets/* {
          file_server
        }
        handle_path /manual/* {
          root * /srv/manual
          try_files {path} {path}.html
          file_server
        }
        handle {
          try_files {path} /index.html
          file_server
        }
        handle_errors {
          root * /srv/app/dist
          rewrite * /404.html
          file_server
        }`,
      lines,
    },
  ],
});
