/// What a browser shows at the server's address.
enum IndexPage {
  static let html = """
    <!DOCTYPE html>
    <html lang="en">
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>Firefly</title>
    <style>
      :root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif }
      body { max-width: 40rem; margin: 3rem auto; padding: 0 1rem }
    </style>
    <h1>Firefly</h1>
    <p>This server answers at <code>/v1/chat/completions</code>, <code>/v1/completions</code>,
    <code>/v1/models</code>, <code>/firefly</code>, <code>/health</code> and <code>/metrics</code>.</p>
    </html>
    """
}
