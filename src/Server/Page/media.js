// Pictures and sound as the server takes them: PNG, JPEG, WAV.

const rate = 16000; // Hz, that of the models' ears

/** An attachment of a picture's file; what is neither PNG nor JPEG becomes PNG. */
export async function picture(file) {
  const url = await dataUrl(['image/png', 'image/jpeg'].includes(file.type) ? file : await png(await createImageBitmap(file)));
  return { part: { type: 'image_url', image_url: { url } }, url, tag: 'img' };
}

/** An attachment of a file of sound; what is no WAV becomes one: 16 bits, 16 kHz, mono. */
export async function sound(file) {
  const url = await dataUrl(/^audio\/(x-|vnd\.)?wave?$/.test(file.type) ? file : await wav(file));
  return { part: { type: 'input_audio', input_audio: { data: url.slice(url.indexOf(',') + 1), format: 'wav' } }, url, tag: 'audio' };
}

/** Shows what the camera sees; its attachment once a picture is taken, null if none is. */
export async function photograph(dialog, video, take, cancel) {
  const stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: 'environment' } });
  try {
    take.disabled = true;
    video.onloadeddata = () => { take.disabled = false; };
    video.srcObject = stream;
    dialog.returnValue = '';
    dialog.showModal();
    take.onclick = () => dialog.close('taken');
    cancel.onclick = () => dialog.close();
    await new Promise(resolve => dialog.addEventListener('close', resolve, { once: true }));
    return dialog.returnValue === 'taken' ? await picture(await png(await createImageBitmap(video))) : null;
  } finally {
    stream.getTracks().forEach(track => track.stop());
    video.srcObject = null;
  }
}

/** Listens to the microphone; the function that it returns ends that and gives the attachment. */
export async function record() {
  const stream = await navigator.mediaDevices.getUserMedia({ audio: true });
  const recorder = new MediaRecorder(stream);
  const pieces = [];
  recorder.ondataavailable = event => pieces.push(event.data);
  recorder.start();
  return async () => {
    const ended = new Promise(resolve => recorder.addEventListener('stop', resolve, { once: true }));
    recorder.stop();
    await ended;
    stream.getTracks().forEach(track => track.stop());
    return sound(new Blob(pieces, { type: recorder.mimeType }));
  };
}

function dataUrl(blob) {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(reader.result);
    reader.onerror = () => reject(reader.error);
    reader.readAsDataURL(blob);
  });
}

function png(bitmap) {
  const canvas = document.createElement('canvas');
  [canvas.width, canvas.height] = [bitmap.width, bitmap.height];
  canvas.getContext('2d').drawImage(bitmap, 0, 0);
  bitmap.close();
  return new Promise((resolve, reject) => canvas.toBlob(blob => blob ? resolve(blob) : reject(new Error('The picture is too large.')), 'image/png'));
}

async function wav(blob) {
  const decoded = await new OfflineAudioContext(1, 1, rate).decodeAudioData(await blob.arrayBuffer()); // at the context's rate
  const channels = Array.from({ length: decoded.numberOfChannels }, (_, channel) => decoded.getChannelData(channel));
  const header = 44;
  const view = new DataView(new ArrayBuffer(header + 2 * decoded.length));
  const name = (at, text) => [...text].forEach((letter, i) => view.setUint8(at + i, letter.charCodeAt(0)));
  name(0, 'RIFF');
  view.setUint32(4, view.byteLength - 8, true);
  name(8, 'WAVEfmt ');
  view.setUint32(16, 16, true); // bytes of the format
  view.setUint16(20, 1, true); // PCM
  view.setUint16(22, 1, true); // channels
  view.setUint32(24, rate, true);
  view.setUint32(28, 2 * rate, true); // bytes a second
  view.setUint16(32, 2, true); // bytes of a sample
  view.setUint16(34, 16, true); // bits of a sample
  name(36, 'data');
  view.setUint32(40, 2 * decoded.length, true);
  for (let i = 0; i < decoded.length; i++) {
    const mean = channels.reduce((sum, channel) => sum + channel[i], 0) / channels.length;
    view.setInt16(header + 2 * i, Math.round(Math.max(-1, Math.min(1, mean)) * 32767), true);
  }
  return new Blob([view.buffer], { type: 'audio/wav' });
}
