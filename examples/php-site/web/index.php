<?php
session_start();
$_SESSION['visits'] = ($_SESSION['visits'] ?? 0) + 1;
$_SESSION['notes'] ??= [];

if ($_SERVER['REQUEST_METHOD'] === 'POST') {
    $note = trim($_POST['note'] ?? '');
    $file = $_FILES['file'] ?? ['error' => UPLOAD_ERR_NO_FILE];
    if ($file['error'] === UPLOAD_ERR_OK) {
        $note .= sprintf(' (%s, %d bytes, sha1 %s)', $file['name'], $file['size'], sha1_file($file['tmp_name']));
    }
    if ($note !== '') {
        $_SESSION['notes'][] = $note;
    }
    // So that reloading the page does not post it again.
    header('Location: /', true, 303);
    exit;
}
?>
<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width">
    <title>Notes</title>
    <link rel="icon" href="data:,">
    <link rel="stylesheet" href="site.css">
  </head>
  <body>
    <h1>Notes</h1>
    <p>Visit <?= $_SESSION['visits'] ?> of this session, by PHP <?= htmlspecialchars(PHP_VERSION) ?>.</p>
    <ul>
<?php foreach ($_SESSION['notes'] as $note): ?>
      <li><?= htmlspecialchars($note) ?></li>
<?php endforeach ?>
    </ul>
    <form method="post" enctype="multipart/form-data">
      <input name="note" aria-label="Note" placeholder="A note" required>
      <input name="file" type="file" aria-label="File">
      <button>Keep it</button>
    </form>
  </body>
</html>
