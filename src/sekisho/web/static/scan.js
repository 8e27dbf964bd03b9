// Reads the code of a machine from a picture, where the browser can, and sends what stands in it.
(async () => {
  const form = document.querySelector("form[data-scan]");
  const formats = (await window.BarcodeDetector?.getSupportedFormats()) ?? [];
  if (!form || !formats.includes("qr_code")) return;
  const camera = form.querySelector("[data-camera]");
  const unread = camera.querySelector("[data-unread]");
  camera.hidden = false;
  camera.querySelector("input").addEventListener("change", async (event) => {
    unread.hidden = true;
    try {
      const picture = await createImageBitmap(event.target.files[0]);
      const [found] = await new BarcodeDetector({ formats: ["qr_code"] }).detect(picture);
      form.elements.code.value = found.rawValue;
      form.requestSubmit();
    } catch {
      unread.hidden = false;
    }
    event.target.value = "";
  });
})();
