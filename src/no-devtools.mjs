// Stands for react-devtools-core, which ink loads when DEV=true: kdbg has no such mode.
export default { initialize() {}, connectToDevTools() {} };
