// Hands the microphone's samples to the page, some hundredths of a second at a time.
class Recorder extends AudioWorkletProcessor {
  constructor() {
    super();
    this.held = [];
    this.count = 0;
  }

  process(inputs) {
    const channel = inputs[0][0];
    if (channel) {
      this.held.push(channel.slice());
      this.count += channel.length;
      if (this.count >= 2048) {
        const block = new Float32Array(this.count);
        let at = 0;
        for (const part of this.held) {
          block.set(part, at);
          at += part.length;
        }
        this.port.postMessage(block, [block.buffer]);
        this.held = [];
        this.count = 0;
      }
    }
    return true;
  }
}
registerProcessor("recorder", Recorder);
