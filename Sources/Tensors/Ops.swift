/// The operations on tensors, an extension to a file: everything above works through these and touches no memory itself.
public enum Ops {}
