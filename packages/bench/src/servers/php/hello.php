<?php echo "hello, world!";
