// Laravel, by the configuration of its guide, beside nginx.

import { script, testTranslation } from "./translation.ts";

testTranslation({
  page: "laravel.md",
  host: "shop.example",
  places: { "/run/php/php-fpm.sock": "php", "/srv/laravel/public": "files" },
  files: { "index.php": script, "wp-login.php": script, "style.css": "css", "build/app.js": "js" },
  explained: [
    ["GET /style.css", "webapp.shop/rule.files/static"],
    ["GET /users/7", "webapp.shop/rule.front controller/fcgiRelay"],
    ["POST /login", "webapp.shop/rule.front controller/fcgiRelay"],
    ["GET /wp-login.php", "webapp.shop/rule.other scripts are not run 404"],
    ["GET /", "webapp.shop/rule.front controller/fcgiRelay"],
  ],
  compared: [
    {
      nginx: `root /srv/laravel/public; index index.php; error_page 404 /index.php;
        add_header X-Frame-Options "SAMEORIGIN" always; add_header X-Content-Type-Options "nosniff" always;
        location / { try_files $uri $uri/ /index.php?$query_string; }
        location = /index.php {
          include /etc/nginx/fastcgi_params;
          fastcgi_param SCRIPT_FILENAME $document_root$fastcgi_script_name; fastcgi_pass unix:/run/php/php-fpm.sock;
        }
        location ~ \\.php$ { return 404; }`,
      lines: [
        "GET /",
        "GET /users/7?a=b",
        "POST /login content-length=100",
        "GET /style.css",
        "GET /build/app.js",
        "GET /wp-login.php",
      ],
      fields: ["x-frame-options", "x-content-type-options"],
    },
  ],
});
