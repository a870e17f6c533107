//! Greenroom: one daemon that network-boots bare-metal machines and turns each into its persona.
