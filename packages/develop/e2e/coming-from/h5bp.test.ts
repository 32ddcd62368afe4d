// HTML5 Boilerplate, by the configuration of its guide, beside nginx and Apache.

import { testTranslation } from "./translation.ts";

const lines = ["GET /", "GET /docs/", "GET /docs", "GET /style.css", "GET /none", "HEAD /none", "GET /backup.sql"];
const fields = ["content-security-policy", "x-frame-options", "x-content-type-options", "referrer-policy"];

testTranslation({
  page: "h5bp.md",
  host: "site.example",
  places: { "/var/www/site": "files" },
  files: {
    "index.html": "home",
    "docs/index.html": "docs",
    "style.css": "css",
    "backup.sql": "sql",
    "404.html": "<p>no such page</p>",
    ".htaccess": `ErrorDocument 404 /404.html
      Header always set X-Content-Type-Options "nosniff"
      Header always set Referrer-Policy "strict-origin-when-cross-origin"
      Header always set Content-Security-Policy "default-src 'self'" "expr=%{CONTENT_TYPE} =~ m#text/html#i"
      Header always set X-Frame-Options "DENY" "expr=%{CONTENT_TYPE} =~ m#text/html#i"
      <FilesMatch "(\\.(bak|conf|dist|ini|log|orig|sh|sql|swp)|~)$">
        Require all denied
      </FilesMatch>`,
  },
  explained: [
    ["GET /docs/", "webapp.site/rule.files/static"],
    ["GET /docs", "webapp.site/rule.files/static 301"],
    ["GET /none", "webapp.site/rule.files/static 404"],
    ["GET /backup.sql", "webapp.site/rule.backups 403"],
    ["GET /.git/config", "webapp.site/rule.files/static 404"],
  ],
  compared: [
    {
      http: `map $sent_http_content_type $csp { ~*text/html "default-src 'self'"; }
        map $sent_http_content_type $frames { ~*text/html DENY; }`,
      nginx: `root /var/www/site; error_page 404 /404.html;
        add_header x-content-type-options nosniff always;
        add_header referrer-policy strict-origin-when-cross-origin always;
        add_header content-security-policy $csp always;
        add_header x-frame-options $frames always;
        location ~* (?:\\.(?:bak|conf|dist|ini|log|orig|sh|sql|swp)|~)$ { deny all; }
        location / { try_files $uri $uri/ =404; }`,
      // The fields of a redirect and of a refusal depend on what each server's own page is.
      lines: lines.filter((line) => !["GET /docs", "GET /backup.sql"].includes(line)),
      fields,
    },
    {
      apache: `DocumentRoot /var/www/site
        <Directory /var/www/site>
          AllowOverride All
          Require all granted
        </Directory>
        DirectoryIndex index.html`,
      lines,
      fields: ["x-content-type-options", "referrer-policy"],
    },
  ],
});
