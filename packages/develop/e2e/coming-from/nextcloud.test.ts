// Nextcloud, by the configuration of its guide, beside nginx.

import { script, testTranslation } from "./translation.ts";

testTranslation({
  page: "nextcloud.md",
  host: "cloud.example",
  places: { "/run/php/php-fpm.sock": "php", "/var/www/nextcloud": "files" },
  files: {
    "index.php": script,
    "remote.php": script,
    "evil.php": script,
    "lib/private.php": script,
    "data/secret.txt": "secret",
    "core/app.css": "css",
    "core/img/a.png": "png",
  },
  explained: [
    ["GET /.well-known/caldav", "webapp.cloud/rule.calendars 301"],
    ["GET /data/secret.txt", "webapp.cloud/rule.private 404"],
    ["PROPFIND /remote.php/dav/files/ann", "webapp.cloud/rule.scripts/fcgiRelay"],
    ["GET /apps/files/", "webapp.cloud/rule.front controller/fcgiRelay"],
    ["GET /core/app.css", "webapp.cloud/rule.files/static"],
  ],
  compared: [
    {
      nginx: `root /var/www/nextcloud; index index.php index.html /index.php$request_uri; client_max_body_size 512M;
        add_header Referrer-Policy "no-referrer" always; add_header X-Robots-Tag "noindex, nofollow" always;
        fastcgi_hide_header X-Powered-By;
        location ^~ /.well-known {
          location = /.well-known/carddav { return 301 /remote.php/dav/; }
          location = /.well-known/caldav { return 301 /remote.php/dav/; }
          return 301 /index.php$request_uri;
        }
        location ~ ^/(?:build|tests|config|lib|3rdparty|templates|data)(?:$|/) { return 404; }
        location ~ ^/(?:\\.|autotest|occ|issue|indie|db_|console) { return 404; }
        location ~ \\.php(?:$|/) {
          rewrite ^/(?!index|remote|public|cron|status|ocs\\/v[12]|core\\/ajax\\/update) /index.php$request_uri;
          fastcgi_split_path_info ^(.+?\\.php)(/.*)$;
          set $path_info $fastcgi_path_info;
          try_files $fastcgi_script_name =404;
          include /etc/nginx/fastcgi_params;
          fastcgi_param SCRIPT_FILENAME $document_root$fastcgi_script_name;
          fastcgi_param PATH_INFO $path_info;
          fastcgi_param front_controller_active true;
          fastcgi_pass unix:/run/php/php-fpm.sock;
        }
        location ~ \\.(?:css|js|png|svg)$ { try_files $uri /index.php$request_uri; expires 6M; }
        location / { try_files $uri $uri/ /index.php$request_uri; }`,
      lines: [
        "GET /",
        "GET /.well-known/carddav",
        "GET /.well-known/webfinger?resource=acct:ann",
        "GET /data/secret.txt",
        "GET /.htaccess",
        "PROPFIND /remote.php/dav/files/ann",
        "PUT /remote.php/dav/files/ann/a%20b.txt content-length=2000000",
        "GET /apps/files/?dir=/",
        "GET /core/app.css",
        "GET /core/none.png",
        "GET /evil.php",
        "GET /lib/private.php",
      ],
      fields: ["referrer-policy", "x-robots-tag", "x-powered-by"],
    },
  ],
});
