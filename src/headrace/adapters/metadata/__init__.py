"""What contracts say of themselves."""
