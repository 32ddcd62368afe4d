// Matomo, by the configuration of its guide, beside nginx.

import { script, testTranslation } from "./translation.ts";

testTranslation({
  page: "matomo.md",
  host: "stats.example",
  places: { "/run/php/php-fpm.sock": "php", "/var/www/matomo": "files" },
  files: {
    "index.php": script,
    "matomo.php": script,
    "js/index.php": script,
    "core/bootstrap.php": script,
    "config/config.ini": "secret",
    "config/a.js": "secret",
    "plugins/A/a.png": "png",
    "plugins/A/a.xml": "xml",
    "js/container_1_preview.js": "preview",
    "robots.txt": "robots",
    "matomo.js": "js",
  },
  explained: [
    ["GET /", "webapp.stats/rule.scripts/fcgiRelay"],
    ["POST /matomo.php?idsite=1", "webapp.stats/rule.scripts/fcgiRelay"],
    ["GET /core/bootstrap.php", "webapp.stats/rule.no other scripts 403"],
    ["GET /config/config.ini", "webapp.stats/rule.private 403"],
    ["GET /plugins/A/a.png", "webapp.stats/rule.assets/static"],
  ],
  compared: [
    {
      nginx: `root /var/www/matomo; index index.php;
        location ~ ^/(index|matomo|piwik|js/index)\\.php$ {
          try_files $fastcgi_script_name =404; include /etc/nginx/fastcgi_params;
          fastcgi_param SCRIPT_FILENAME $document_root$fastcgi_script_name; fastcgi_pass unix:/run/php/php-fpm.sock;
        }
        location ~* ^.+\\.php$ { deny all; return 403; }
        location / { try_files $uri $uri/ =404; }
        location ~ ^/(config|tmp|core|lang) { deny all; return 403; }
        location ~ /\\.ht { deny all; return 403; }
        location ~ js/container_.*_preview\\.js$ { add_header Cache-Control 'private, no-cache, no-store'; }
        location ~ \\.(gif|ico|jpg|png|svg|js|css|htm|html|mp3|mp4|wav|ogg|avi|ttf|eot|woff|woff2)$ { expires 1h; }
        location ~ ^/(libs|vendor|plugins|misc|node_modules) { deny all; return 403; }`,
      lines: [
        "GET /?module=CoreHome",
        "GET /index.php",
        "POST /matomo.php?idsite=1 content-length=300",
        "GET /js/",
        "GET /core/bootstrap.php",
        "GET /core/a.js",
        "GET /config/config.ini",
        "GET /config/a.js",
        "GET /.htaccess",
        "GET /plugins/A/a.png",
        "GET /plugins/A/a.xml",
        "GET /plugins/A/none.png",
        "GET /robots.txt",
        "GET /none",
      ],
    },
    {
      nginx: `root /var/www/matomo;
        location ~ js/container_.*_preview\\.js$ { add_header Cache-Control 'private, no-cache, no-store'; }
        location ~ \\.js$ { expires 1h; }`,
      lines: ["GET /js/container_1_preview.js", "GET /matomo.js"],
      fields: ["cache-control"],
    },
  ],
});
