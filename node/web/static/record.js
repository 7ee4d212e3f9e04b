// Records in the browser and puts the recording into the form's own file field: the form goes as it always does.
// A page on plain HTTP gets no microphone from any browser; then nothing of this shows.
(() => {
  const box = document.getElementById("recorder");
  const media = navigator.mediaDevices;
  if (!box || !window.isSecureContext || !media || !media.getUserMedia || !window.MediaRecorder) return;
  const start = document.getElementById("rec-start"), stop = document.getElementById("rec-stop");
  const told = document.getElementById("rec-told"), heard = document.getElementById("rec-heard");
  const field = document.getElementById("f-recorded");
  const kinds = ["audio/webm;codecs=opus", "audio/ogg;codecs=opus", "audio/mp4"];
  const kind = kinds.find((one) => MediaRecorder.isTypeSupported(one));
  const limit = Number(box.dataset.max);
  let recorder = null, timer = 0, began = 0;
  box.hidden = false;
  const clock = () => {
    const s = Math.floor((performance.now() - began) / 1000);
    told.textContent = box.dataset.on + " " + Math.floor(s / 60) + ":" + String(s % 60).padStart(2, "0");
  };
  start.addEventListener("click", async () => {
    let sound;
    try {
      sound = await media.getUserMedia({ audio: true });
    } catch {
      told.textContent = box.dataset.no;
      return;
    }
    const parts = [];
    let size = 0;
    recorder = new MediaRecorder(sound, { mimeType: kind, audioBitsPerSecond: 48000 });
    recorder.addEventListener("dataavailable", (event) => {
      parts.push(event.data);
      size += event.data.size;
      if (size > limit - 65536 && recorder.state === "recording") recorder.stop();
    });
    recorder.addEventListener("stop", () => {
      clearInterval(timer);
      for (const track of sound.getTracks()) track.stop();
      const type = recorder.mimeType.split(";")[0];
      const file = new File(parts, "recorded." + type.split("/")[1], { type });
      const held = new DataTransfer();
      held.items.add(file);
      field.files = held.files;
      heard.src = URL.createObjectURL(file);
      heard.hidden = false;
      told.textContent = box.dataset.done;
      start.hidden = false;
      stop.hidden = true;
      start.textContent = box.dataset.again;
    });
    recorder.start(1000);
    began = performance.now();
    timer = setInterval(clock, 500);
    clock();
    start.hidden = true;
    stop.hidden = false;
    stop.focus();
  });
  stop.addEventListener("click", () => recorder && recorder.state === "recording" && recorder.stop());
})();
