// WordPress, by the configuration of its guide, beside nginx, Apache and Caddy.

import { script, testTranslation } from "./translation.ts";

const lines = [
  "GET /",
  "GET /2026/11/hello/?p=1",
  "GET /wp-login.php?a=b",
  "POST /wp-login.php content-length=2000000",
  "GET /wp-admin/",
  "GET /wp-admin",
  "GET /wp-content/uploads/evil.php",
  "GET /wp-content/uploads/a.png",
  "HEAD /style.css",
  "GET /docs/",
  "GET /docs",
];

testTranslation({
  page: "wordpress.md",
  host: "blog.example",
  places: { "/run/php/php-fpm.sock": "php", "/var/www/wordpress": "files" },
  files: {
    "index.php": script,
    "wp-login.php": script,
    "wp-admin/index.php": script,
    "wp-content/uploads/evil.php": script,
    "wp-content/uploads/a.png": "png",
    "style.css": "css",
    "docs/index.html": "docs",
    ".htaccess": `RewriteEngine On
      RewriteBase /
      RewriteRule ^index\\.php$ - [L]
      RewriteRule ^wp-content/uploads/.*\\.php$ - [F,L]
      RewriteCond %{REQUEST_FILENAME} !-f
      RewriteCond %{REQUEST_FILENAME} !-d
      RewriteRule . /index.php [L]`,
  },
  explained: [
    ["GET /style.css", "webapp.blog/rule.assets/static"],
    ["GET /none.css", "webapp.blog/rule.assets/static 404"],
    ["GET /wp-login.php", "webapp.blog/rule.files and scripts/fcgiRelay"],
    ["GET /wp-content/uploads/evil.php", "webapp.blog/rule.uploads are no scripts 403"],
    ["GET /2026/11/hello/", "webapp.blog/rule.permalinks/fcgiRelay"],
  ],
  compared: [
    {
      nginx: `root /var/www/wordpress; index index.php index.html; client_max_body_size 64m;
        location ~* /(?:uploads|files)/.*\\.php$ { deny all; }
        location ~* \\.(?:css|js|png)$ { expires 30d; }
        location / { try_files $uri $uri/ /index.php?$args; }
        location ~ \\.php$ {
          try_files $uri =404; include /etc/nginx/fastcgi_params;
          fastcgi_param SCRIPT_FILENAME $document_root$fastcgi_script_name; fastcgi_pass unix:/run/php/php-fpm.sock;
        }`,
      lines: [...lines, "GET /none.css", "GET /none.php"],
    },
    {
      apache: `DocumentRoot /var/www/wordpress
        DirectoryIndex index.php index.html
        <Directory /var/www/wordpress>
          AllowOverride All
          Require all granted
        </Directory>
        <FilesMatch "\\.php$">
          SetHandler "proxy:unix:/run/php/php-fpm.sock|fcgi://localhost/"
        </FilesMatch>`,
      lines,
    },
    {
      caddy: `root * /var/www/wordpress
        @uploads path_regexp /(?:uploads|files)/.*\\.php$
        respond @uploads 403
        php_fastcgi unix//run/php/php-fpm.sock
        file_server`,
      // Caddy redirects by 308, and its php_fastcgi knows no folder with an index.html.
      lines: lines.filter((line) => line !== "GET /wp-admin" && !line.includes("/docs")),
    },
  ],
});
