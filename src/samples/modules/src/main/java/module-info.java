/** Tenon on the module path. */
module com.example.modules {
    requires org.tenon;
    requires org.tenon.junit;
}
